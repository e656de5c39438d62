"""Tasks: what targets and answers mean."""

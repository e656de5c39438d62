"""Learning from what networks say: students of their own teachers, and of a fitted run."""

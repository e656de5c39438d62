"""A run folder: what is in it, who may write it, and back again."""

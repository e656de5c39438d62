"""A training kept within a time limit: what it takes, what was decided, and what is done with one that is late."""

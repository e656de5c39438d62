"""How fast each part is, beside what a user would write by hand and beside the bare limit of the machine."""

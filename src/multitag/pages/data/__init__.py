"""The page of ``multitag check --report``: what is in one or several tables, seen rather than counted."""

"""Frozen encoders run once per picture and per text, ever: the store, the filling of it, and batches out of it."""

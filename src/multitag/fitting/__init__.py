"""Fitting: from labelled rows to a fitted pipeline, with folds, seeds, students and ensembles."""

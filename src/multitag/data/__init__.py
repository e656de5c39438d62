"""From files to samples and back: tables, pictures, splits, summaries, predictions."""

"""The report pages of commands, put together from `multitag.report`'s blocks."""

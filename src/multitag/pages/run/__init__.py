"""`multitag report`: one page about one run's answers to labelled rows, or about several runs' answers to the same."""

"""What can be seen in a model's answers: pure functions of answers, frozen results. Pages and commands show them."""

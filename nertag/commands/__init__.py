"""What each command does, as a plain function with typed arguments. `cli.py` declares their options."""

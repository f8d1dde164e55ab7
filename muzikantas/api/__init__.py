"""What providers may call, to say how a paid request is going. `python -m muzikantas.api` serves it."""

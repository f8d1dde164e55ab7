"""`python -m muzikantas` is the command `muzikantas`."""

from muzikantas.cli import main

main()

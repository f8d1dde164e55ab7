"""The words of the house: frozen values, the error tree, money, waiting as arithmetic. Imports nothing of ours."""

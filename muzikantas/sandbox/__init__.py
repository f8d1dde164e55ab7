"""Stand-ins for the providers over real HTTP, with a band that plays and a market that listens.

Imports nothing of the rest of the house and could be a project of its own. Start it with
`python -m muzikantas.sandbox --data DIR`, or call `muzikantas.sandbox.app.serve`.
"""

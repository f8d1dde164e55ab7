"""Beat for the tests: what is stuck is found in seconds."""

beat_schedule = {
    "due": {"task": "muzikantas.tasks.cycles.start_due_cycles", "schedule": 2.0},
    "reconcile": {"task": "muzikantas.tasks.cycles.reconcile", "schedule": 1.0},
    "settle": {"task": "muzikantas.tasks.settling.settle_by_balance", "schedule": 2.0},
    "analyse": {"task": "muzikantas.tasks.market.analyse", "schedule": 5.0},
}

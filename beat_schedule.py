"""When things happen. An operator's own file in this form is named by the setting `BEAT_SCHEDULE`.

No task here means "today": each asks Postgres what is due, so an outage or a second run loses and repeats nothing.
"""

from celery.schedules import crontab

beat_schedule = {
    "start the cycles that are due": {
        "task": "muzikantas.tasks.cycles.start_due_cycles",
        "schedule": 60.0,
    },
    "bring stuck cycles and generations on": {
        "task": "muzikantas.tasks.cycles.reconcile",
        "schedule": 15.0,
    },
    "settle requests of unknown end": {
        "task": "muzikantas.tasks.settling.settle_by_balance",
        "schedule": 60.0,
    },
    "collect how releases did": {
        "task": "muzikantas.tasks.performance.collect_performance",
        "schedule": crontab(minute="*/30"),
    },
    "bring in charts that are missing": {
        "task": "muzikantas.tasks.charts.fetch_missing",
        "schedule": crontab(minute=7),
    },
    "look artists up whose time has come": {
        "task": "muzikantas.tasks.catalogue.describe_due",
        "schedule": 300.0,
    },
    "look at markets, trends and competitors": {
        "task": "muzikantas.tasks.market.survey",
        "schedule": crontab(minute="*/15"),
    },
    "analyse charts and releases": {
        "task": "muzikantas.tasks.market.analyse",
        "schedule": crontab(minute="*/5"),
    },
}

"""What is the same everywhere: queues, routes, serializers, acknowledgement, limits. No logic and no addresses.

Broker, result backend and everything that follows from the visibility timeout are added by `muzikantas/celery.py`.
"""

from kombu import Queue

# One queue a provider or kind of load, so that a slow one never holds up another; one worker group each.
task_queues = [Queue("suno"), Queue("media"), Queue("listen"), Queue("llm"), Queue("spotify"), Queue("default")]
task_default_queue = "default"
task_create_missing_queues = False

task_routes = {
    "muzikantas.tasks.generation.*": {"queue": "suno"},
    "muzikantas.tasks.submission.*": {"queue": "suno"},
    "muzikantas.tasks.settling.*": {"queue": "suno"},
    "muzikantas.tasks.media.*": {"queue": "media"},
    "muzikantas.tasks.listening.*": {"queue": "listen"},
    "muzikantas.tasks.briefing.*": {"queue": "llm"},
    "muzikantas.tasks.evolution.*": {"queue": "llm"},
    "muzikantas.tasks.charts.*": {"queue": "spotify"},
    "muzikantas.tasks.catalogue.*": {"queue": "spotify"},
    "muzikantas.tasks.cycles.*": {"queue": "default"},
    "muzikantas.tasks.releasing.*": {"queue": "default"},
    "muzikantas.tasks.performance.*": {"queue": "default"},
    "muzikantas.tasks.learning.*": {"queue": "default"},
    "muzikantas.tasks.market.word_competitors": {"queue": "llm"},
    "muzikantas.tasks.market.*": {"queue": "default"},
}

# JSON only: a pickle in the broker would be somebody else's code in our workers.
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]

# A task is done when it is done: a killed child's message runs again (every task may run twice).
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
# Every generation in flight is one message that counts down.
worker_eta_task_limit = 10_000
worker_cancel_long_running_tasks_on_connection_loss = False

# Results are ids for the eye; chords count on them, so they outlive the longest cycle.
result_expires = 172_800
result_chord_join_timeout = 30.0
# A short outage of the backend must not turn finished work into a failure.
result_backend_always_retry = True
result_backend_max_retries = 20

# A stop lets running tasks end, then hands back what is left.
worker_soft_shutdown_timeout = 10.0
worker_enable_soft_shutdown_on_idle = True

# Flower reads events. Sending is none of them: most of what we send are waits, and each would cost a message more.
worker_send_task_events = True
task_track_started = True

broker_connection_retry_on_startup = True
timezone = "UTC"
enable_utc = True

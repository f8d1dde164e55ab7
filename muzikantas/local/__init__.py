"""The embedded stack: PostgreSQL, a Redis-compatible server and our own programs as children of one supervisor.

::

    home = Home(Path("var"))
    with hold(home.run), Supervisor(home.run, home.logs, redact=keys, on_event=print) as supervisor:
        postgres, valkey = Postgres(home), Valkey(home)
        supervisor.start([postgres.service(), valkey.service()])
        postgres.create_database()
        home.write_env({"DATABASE_URL": postgres.url(), "REDIS_URL": valkey.url()})
        supervisor.start(workers)  # Service(name=…, argv=[sys.executable, …], env=…, after=("postgres", "valkey"))
        supervisor.run_until_stopped()  # or a loop of one's own that calls supervisor.poll()

Everything is called from the main thread (`supervisor.py` says why). However the supervisor ends, its children end. A
Celery worker's `death_signal` is SIGKILL: SIGTERM would let it finish its tasks first, and its pool processes follow it
at once, because Celery ties each of them to the worker's main process in the same way.
"""

from muzikantas.local.home import Home
from muzikantas.local.lock import hold
from muzikantas.local.postgres import Postgres
from muzikantas.local.privileges import remove_servers_folder
from muzikantas.local.service import Service
from muzikantas.local.supervisor import Supervisor
from muzikantas.local.valkey import Valkey

__all__ = ["Home", "Postgres", "Service", "Supervisor", "Valkey", "hold", "remove_servers_folder"]

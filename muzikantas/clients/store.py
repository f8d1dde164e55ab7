"""The audio store: files addressed by the hash of their content, never half-written."""

import hashlib
import uuid

import fsspec


class AudioStore:
    """Keeps audio under a folder or bucket, as fsspec spells it."""

    def __init__(self, url: str) -> None:
        self.files, self.root = fsspec.core.url_to_fs(url)

    def put(self, data: bytes, suffix: str) -> str:
        """Keep `data`; give its key. The same content has the same key and is written once."""
        key = f"{hashlib.sha256(data).hexdigest()}{suffix}"
        if not self.has(key):
            self._write(self.path(key), data)
        return key

    def note(self, name: str, text: str) -> None:
        """Keep a small text under a name of its own; the last one stays."""
        self._write(f"{self.root}/notes/{name}", text.encode())

    def noted(self, name: str) -> str | None:
        """Read what was noted under a name, or None."""
        try:
            return bytes(self.files.cat_file(f"{self.root}/notes/{name}")).decode()
        except FileNotFoundError:
            return None

    def _write(self, path: str, data: bytes) -> None:
        """Write aside and rename, so that a reader or a kill never meets half a file."""
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        aside = f"{path}.{uuid.uuid4().hex}.part"
        self.files.pipe_file(aside, data)
        self.files.mv(aside, path)

    def read(self, key: str) -> bytes:
        """Read a file. Raises `FileNotFoundError` when the key is unknown."""
        data: bytes = self.files.cat_file(self.path(key))
        return data

    def has(self, key: str) -> bool:
        """Tell whether the store holds this key."""
        return bool(self.files.exists(self.path(key)))

    def path(self, key: str) -> str:
        """Give the path of a key inside the store; two letters a folder keep folders small."""
        return f"{self.root}/{key[:2]}/{key}"

"""Stand-in for SMPLest-X's main/config.py: nested settings with attribute access."""

import runpy
from pathlib import Path


class Config(dict):
    def __getattr__(self, name):
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        return Config(value) if isinstance(value, dict) else value

    @classmethod
    def load_config(cls, path):
        return cls(runpy.run_path(path)["config"])

    def update_config(self, new):
        for group, values in new.items():
            self.setdefault(group, {}).update(values)

    def prepare_log(self):
        Path(self.log.log_dir).mkdir(parents=True, exist_ok=True)

"""Reads a Dockerfile: its stages, each with its instructions in order."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    """Such as RUN, and what follows it."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """What follows, without options; also of a JSON list."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return [word for word in self.text.split() if not word.startswith("--")]

    def option(self, name: str) -> str:
        """The value of `--name=value`; empty without it."""
        found = re.search(rf"--{name}=(\S+)", self.text)
        return found[1] if found else ""


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Every instruction of this name."""
        return [each for each in self.instructions if each.name == name]

    def last(self, name: str) -> Instruction:
        """The one that counts."""
        return self.all(name)[-1]


@dataclass
class Dockerfile:
    """What it says before its first stage, and its stages."""

    arguments: dict[str, str]
    stages: list[Stage]

    @property
    def final(self) -> Stage:
        """What becomes the image."""
        return self.stages[-1]

    def stage(self, name: str) -> Stage:
        """The stage of this name."""
        return next(stage for stage in self.stages if stage.name == name)


def read(path: Path) -> Dockerfile:
    """Parse it; comments and line ends within an instruction are gone."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    dockerfile = Dockerfile({}, [])
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, text = line.partition(" ")
        _take(dockerfile, Instruction(name, text.strip()))
    return dockerfile


def _take(dockerfile: Dockerfile, instruction: Instruction) -> None:
    if instruction.name == "FROM":
        base, _, name = instruction.text.partition(" AS ")
        for argument, value in dockerfile.arguments.items():
            base = base.replace(f"${{{argument}}}", value)
        dockerfile.stages.append(Stage(base, name))
    elif dockerfile.stages:
        dockerfile.stages[-1].instructions.append(instruction)
    else:
        argument, _, value = instruction.text.partition("=")
        dockerfile.arguments[argument] = value

"""Annotation tools' own shapes of JSON as plain rows: Label Studio, spaCy's training pairs, Prodigy's answers.

What doccano and spaCy's documents write are plain rows already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tool_rows(value: Any) -> list[Any] | None:
    """The rows of a JSON value that is a tool's export; `None` where it is none.

    Args:
        value: A list of tasks (Label Studio), of answers (Prodigy), of pairs of a text and its marks (spaCy 2's
            training data), or an object with such pairs under ``"annotations"``.
    """
    if isinstance(value, Mapping) and isinstance(value.get("annotations"), list) and "images" not in value:
        value = [entry for entry in value["annotations"] if entry is not None]
        return [tool_row(entry) for entry in value] if value and _is_pair(value[0]) else None
    if isinstance(value, list) and value and (_is_pair(value[0]) or _is_task(value[0]) or _is_answered(value[0])):
        return [tool_row(entry) for entry in value]
    return None


def tool_row(value: Any) -> Any:
    """One entry of an export, or one line of JSONL, as a plain row; anything else as it is."""
    if _is_pair(value):
        text, marks = value
        return {"text": text, **(marks if isinstance(marks, Mapping) else {"entities": marks})}
    if _is_task(value):
        return _of_task(value)
    if _is_answered(value) and value["answer"] != "accept":
        return {**value, "spans": None}  # Prodigy: what an annotator has rejected or passed over is not known
    return value


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], Mapping | list)
    )


def _is_answered(value: Any) -> bool:
    return isinstance(value, Mapping) and "spans" in value and "answer" in value


def _is_task(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("data"), Mapping)
        and any(isinstance(value.get(key), list) for key in ("annotations", "completions"))
    )


def _of_task(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task's data, the spans of one annotation and, where it has choices, the row's labels.

    Of several annotations the one that is marked as the ground truth, else the first.
    """
    row = {"id": task.get("id"), **task["data"]}
    done = [
        note
        for key in ("annotations", "completions")
        for note in task.get(key) or ()
        if isinstance(note, Mapping) and not note.get("was_cancelled")
    ]
    note = next((note for note in done if note.get("ground_truth")), done[0] if done else None)
    spans: list[dict[str, Any]] = []
    choices: list[str] = []
    for result in (note or {}).get("result") or ():
        value = result.get("value") if isinstance(result, Mapping) else None
        if not isinstance(value, Mapping):
            continue
        if "start" in value and "end" in value:
            names = next((names for key, names in value.items() if key.endswith("labels")), None)
            spans.append({key: value[key] for key in ("start", "end", "text") if key in value} | {"labels": names})
        choices += value.get("choices") or ()
    row["spans"] = None if note is None else spans
    if choices:
        row["labels"] = choices
    return row

"""Pictures and texts through frozen encoders, from their files into the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.speed.measure import Figure, compare, skipped
from multitag.config import Config
from multitag.cores import threads
from multitag.data.bundled import bundled_path
from multitag.data.table import read_table
from multitag.encoders import ENCODERS, Encoder
from multitag.encoders.weights import resolve_pretrained
from multitag.features.chunks import CHUNK
from multitag.features.fill import ONNX, fill
from multitag.features.rows import Rows, check_rows
from multitag.features.slots import Slot, build_slots
from multitag.features.store import FeatureStore
from multitag.types import Sample

SIZE = (480, 360)
CPU = torch.device("cpu")


def figures(*, quick: bool, runs: int) -> Iterator[Figure]:
    """The part's lines: the bundled drawings and their titles, through the default encoders."""
    samples = samples_of()
    texts = captions(samples, 128 if quick else 1024)
    config = Config()
    with tempfile.TemporaryDirectory() as folder:
        pictures = photographs(samples[: 32 if quick else 96], Path(folder, "pictures"))
        work = _Filling(Path(folder), config)
        yield from _of_pictures(work, pictures, config, runs)
        yield from _of_texts(work, texts, runs)
        yield from _fewer_bits(Path(folder), pictures, texts, runs)


class _Filling:
    """Fills a store that is empty each time; what is exported for a runtime is kept, as users' is."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self.slots = build_slots(config)

    def __call__(self, name: str, samples: Sequence[Sample]) -> None:
        path = Path(tempfile.mkdtemp(dir=self.folder))
        (path / ONNX).symlink_to(self._exports(), target_is_directory=True)
        with FeatureStore(path) as store:
            fill(store, {name: self.slots[name]}, self.rows(name, samples))

    def rows(self, name: str, samples: Sequence[Sample]) -> Rows:
        return check_rows(samples, self.config) if name == "image" else Rows(list(samples), [None] * len(samples))

    def _exports(self) -> Path:
        found = self.folder / ONNX
        found.mkdir(exist_ok=True)
        return found


def _of_pictures(work: _Filling, samples: Sequence[Sample], config: Config, runs: int) -> list[Figure]:
    slot = work.slots["image"]
    chunks = [samples[start : start + CHUNK["image"]] for start in range(0, len(samples), CHUNK["image"])]
    in_memory = [slot.encoder.prepare(slot.items(chunk)) for chunk in chunks]
    plain = _loaded(config)
    work("image", samples)  # exports, starts the runtime

    def ours() -> None:
        work("image", samples)

    what = f"{len(samples)} drawings, files to stored features"
    return [
        compare(
            f"encoding pictures: {what}",
            ours,
            _bare(slot, in_memory, work.folder / ONNX),
            beside_name="the bare encoder on arrays in memory, same runtime and threads",
            at_least=0.9,
            runs=runs,
            note="ours checks each picture, hashes, decodes, resizes and writes besides",
        ),
        compare(
            f"encoding pictures beside a plain loop: {what}",
            ours,
            lambda: _plain_loop(plain, samples),
            beside_name="Pillow and the torch model, batches of 32",
            at_least=3.0,
            runs=runs,
        ),
    ]


def _loaded(config: Config) -> Encoder:
    """The picture encoder as its makers wrote it: not folded, not exported."""
    section = config.encoders["image"]
    encoder: Encoder = ENCODERS.build(section.name, section.options)
    encoder.load()
    return encoder.eval()


def _bare(slot: Slot, inputs: Sequence[Any], folder: Path) -> Callable[[], None]:
    crew = max(1, min(threads(), len(inputs)))

    def one(batch: Any) -> None:
        slot.run(batch, folder, tokens=False, device=CPU, threads=1, at_once=crew)

    def run() -> None:
        with ThreadPoolExecutor(crew) as pool:
            list(pool.map(one, inputs))

    return run


def _plain_loop(encoder: Encoder, samples: Sequence[Sample]) -> None:
    found = []
    for start in range(0, len(samples), 32):
        pictures = [Image.open(str(sample.image)).convert("RGB") for sample in samples[start : start + 32]]
        with torch.no_grad():
            found.append(encoder(encoder.prepare(pictures)).pooled.numpy())
    np.concatenate(found)


def _of_texts(work: _Filling, samples: Sequence[Sample], runs: int) -> list[Figure]:
    work("text", samples)
    name = f"encoding texts: {len(samples):,} captions"
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        return [skipped(name, "sentence-transformers is not installed (pip install sentence-transformers)")]
    model = SentenceTransformer(str(resolve_pretrained(work.slots["text"].encoder.model)), device="cpu")
    texts = [sample.text for sample in samples]
    found = []
    for setting in ("", "runtime=openvino", "precision=bfloat16"):
        chosen = _Filling(work.folder, Config().changed([f"store.{setting}"])) if setting else work
        chosen("text", samples)
        found.append(
            compare(
                f"{name}, {setting or 'as it comes'}",
                lambda chosen=chosen: chosen("text", samples),
                lambda: model.encode(texts, show_progress_bar=False),
                beside_name="sentence-transformers' encode",
                at_least=2.5,
                runs=runs,
                note="into the store; three kinds of pooling, not one",
            )
        )
    return found


def _fewer_bits(folder: Path, pictures: Sequence[Sample], texts: Sequence[Sample], runs: int) -> list[Figure]:
    exact = _Filling(folder, Config())
    found = []
    for precision in ("bfloat16", "int8"):
        work = _Filling(folder, Config().changed([f"store.precision={precision}"]))
        for name, samples in (("image", pictures), ("text", texts)):
            work(name, samples)
            found.append(
                compare(
                    f"encoding {name}s in {precision}, {len(samples):,}",
                    lambda work=work, name=name, samples=samples: work(name, samples),
                    lambda name=name, samples=samples: exact(name, samples),
                    beside_name="float32",
                    at_least=1.0,
                    runs=runs,
                )
            )
    return found


def samples_of() -> Sequence[Sample]:
    """The bundled drawings."""
    home = bundled_path()
    return read_table(home / "train.csv", images=home / "images").samples


def photographs(samples: Sequence[Sample], folder: Path, *, seed: int = 0) -> list[Sample]:
    """Drawings as JPEG files of the size of a photograph on the web."""
    folder.mkdir()
    found = []
    for row, sample in enumerate(samples):
        picture = Image.open(str(sample.image)).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
        grain = np.random.default_rng(seed + row).normal(
            0, 8, (*SIZE[::-1], 3)
        )  # as a camera's, or it decodes too easily
        pixels = (np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)
        path = folder / f"{row}.jpg"
        Image.fromarray(pixels).save(path, quality=85)
        found.append(Sample(id=str(row), image=path))
    return found


def captions(samples: Sequence[Sample], count: int, *, seed: int = 0) -> list[Sample]:
    """Distinct texts of a caption's length: titles put together."""
    titles = [sample.text or "" for sample in samples]
    generator = np.random.default_rng(seed)
    found = []
    for row in range(count):
        chosen = generator.choice(len(titles), size=int(generator.integers(3, 6)))
        found.append(Sample(id=str(row), text=" ".join([str(seed + row), *(titles[place] for place in chosen)])))
    return found

"""How many instances of the paper's models 1-4 a GPU trains in an hour, and by what way.

    python benchmarks/gpu.py [--quick] [--json FILE] [--models 1234] [--batches 16,32,64,256]
                             [--examples 8000,32000] [--stacks 1,8,32,128,512,2048]
                             [--seconds 1] [--convolutions]

For each model and batch size the peers come first, in microseconds per example of training alone:
torch step by step, the same with the step as a CUDA graph, and ``torch.func.vmap`` over several
networks. Then stacks of `torch_stacked`, for each number of examples: whole epochs as a study
trains them, with their batch orders, tests on 8,000 examples and losses read back. An instance is
taken to be 50 epochs. The fastest of several epochs, or runs of steps, of ``--seconds`` counts.
"× sequential" compares with torch step by step, which is not charged for any test.

Shares are of what this device was seen to do just before: products and sums of the network
(`ConvNet.flops`) against those of a large matrix product in single precision without TF32, and
bytes that torch's operations read and write, each counted once per operation, against those of a
copy. Joules are the driver's count for the whole GPU (NVML), less nothing for idling.

``--convolutions`` compares ways to convolve a stack instead: im2col and a batched matrix product,
a grouped convolution, ``vmap``, forward and backward, for both layers of model 1.

Every row is printed, and the JSON file written anew, as soon as it is measured. Without a GPU it
runs small on one core of the CPU, in CPU time, and says so: that is no measure of a GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from training_ways import Eager, Vmap

from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.convnet.notation import preset
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import processor
from surefoot.engines.devices import gpus
from surefoot.engines.torch.stacked.graph import recorded
from surefoot.engines.torch.stacked.network import convolution
from surefoot.engines.torch.stacked.training import DeviceData, Stack
from surefoot.instances import Instance, Setting
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role

EPOCHS = 50
TEST = 8_000
VMAPPED = (16, 128)
DEVICE = torch.device("cuda:0" if gpus() else "cpu")
ON_GPU = DEVICE.type == "cuda"
clock = time.perf_counter if ON_GPU else time.process_time
STOP = np.zeros(1, dtype=np.uint8)


class Graphed(Eager):
    """Stock torch, its step recorded as a CUDA graph with an optimiser that can be."""

    def __init__(self, net: ConvNet, device: str) -> None:
        super().__init__(net, device)
        for group in self.optimizer.param_groups:
            group["capturable"] = True
        self.step = recorded(
            super().step, torch.zeros(net.batch_size, dtype=torch.int64).to(device)
        )


def synchronise() -> None:
    if ON_GPU:
        torch.cuda.synchronize()


def joules() -> float | None:
    """Return the energy the GPU has used so far, None if the driver does not tell."""
    if not ON_GPU:
        return None
    try:
        nvml, device, used = (
            ctypes.CDLL("libnvidia-ml.so.1"),
            ctypes.c_void_p(),
            ctypes.c_ulonglong(),
        )
        failed = (
            nvml.nvmlInit_v2()
            or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device))
            or nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(used))
        )
    except (OSError, AttributeError):
        return None
    return None if failed else used.value / 1e3


def best_seconds(
    run: Callable[[], Any], seconds: float, least: int = 2
) -> tuple[float, float | None]:
    """Return seconds of the fastest of several runs, and joules of one in the mean."""
    run()
    synchronise()
    best, began, used, runs = float("inf"), time.perf_counter(), joules(), 0
    while runs < least or time.perf_counter() - began < seconds:
        start = clock()
        run()
        synchronise()
        best, runs = min(best, clock() - start), runs + 1
    after = joules()
    return best, None if used is None or after is None else (after - used) / runs


def peaks(seconds: float) -> dict[str, float]:
    """Return what this device does: GFLOP/s of a matrix product, and GB/s of a copy."""
    n, bytes_ = (8192, 1 << 30) if ON_GPU else (512, 1 << 26)
    a = torch.randn(n, n, device=DEVICE)
    source = torch.zeros(bytes_, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    product, _ = best_seconds(lambda: a @ a, seconds)
    copy, _ = best_seconds(lambda: target.copy_(source), seconds)
    return {"gflops": 2 * n**3 / product / 1e9, "gigabytes": 2 * bytes_ / copy / 1e9}


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write; views move none."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not func.is_view:
            leaves = torch.utils._pytree.tree_leaves((args, kwargs, result))
            tensors = {id(one): one for one in leaves if isinstance(one, torch.Tensor)}
            self.bytes += sum(one.numel() * one.element_size() for one in tensors.values())
        return result


def setting_of(net: ConvNet, examples: int, test: int) -> Setting:
    """Return a setting of noise, on which an epoch takes as long as on anything."""
    draw = np.random.default_rng(0)
    n = 2 * max(examples, test)
    features = draw.standard_normal((n, 225)).astype(np.float32)
    side = draw.standard_normal((n, net.side)).astype(np.float32) if net.side else None
    population = Population(features, draw.uniform(1, 2, (n, 1)).astype(np.float32), side)
    stopping = Stopping(max_epochs=10_000, reading="none")
    return Setting(population.split(0), Sampling(examples, test_size=test), Loss("mse"), stopping)


def stack_of(net: ConvNet, setting: Setting, size: int, device: torch.device) -> Stack:
    instances = [Instance(net, InstanceSeed(1, Role.PILOT, number)) for number in range(size)]
    data = DeviceData.of(setting.halves.population, device)
    stack = Stack(instances[0], setting, data, size, STOP)
    for place, instance in enumerate(instances):
        stack.seat(place, instance)
    return stack


def bytes_per_example(net: ConvNet) -> float:
    """Return the bytes that a stack of two moves in training, for each of their examples."""
    batch, size = net.batch_size, 2
    stack = stack_of(net, setting_of(net, batch, batch), size, torch.device("cpu"))
    rows, rates = next(iter(stack.portions()))
    with Traffic() as traffic:
        stack.train_steps(rows, rates)
    return traffic.bytes / (batch * size)


def row_of(
    way: str,
    net: ConvNet,
    examples: int,
    size: int,
    microseconds: float,
    energy: float | None,
) -> dict[str, Any]:
    """Return a row; ``microseconds`` and ``energy`` in joules are for an example of an instance."""
    per_instance = EPOCHS * examples
    return {
        "way": way,
        "batch": net.batch_size,
        "examples": examples,
        "instances": size,
        "microseconds_per_example": microseconds,
        "instances_per_hour": 3600e6 / (microseconds * per_instance),
        "gflops": net.flops / microseconds / 1e3,
        "joules_per_instance": None if energy is None else energy * per_instance,
    }


def peers(
    net: ConvNet, examples: int, seconds: float, models: tuple[int, ...]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of torch step by step, with a graph, and of vmap."""
    made: list[tuple[str, int, Callable[[], Any]]] = [
        ("torch", 1, lambda: Eager(net, str(DEVICE))),
        *((f"vmap × {n}", n, lambda n=n: Vmap(net, str(DEVICE), n)) for n in models),
    ]
    if ON_GPU:
        made.insert(1, ("torch, graph", 1, lambda: Graphed(net, str(DEVICE))))
    for name, size, make in made:
        with memory_is_returned():
            try:
                way, steps = make(), size * (64 if ON_GPU else 2)
                best, energy = best_seconds(partial(way.run, steps), seconds)
            except RuntimeError as error:
                print(f"  {name}: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
                continue
            each = steps * net.batch_size
            yield row_of(name, net, examples, size, best / each * 1e6, energy and energy / each)


def stacks(
    net: ConvNet, examples: int, sizes: list[int], seconds: float, test: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of stacks."""
    setting = setting_of(net, examples, test)
    for size in sizes:
        with memory_is_returned():
            try:
                began = time.perf_counter()
                stack = stack_of(net, setting, size, DEVICE)
                synchronise()
                begins = time.perf_counter() - began
                best, energy = best_seconds(stack.train_epoch, seconds, 1)
            except torch.cuda.OutOfMemoryError:
                print(f"  a stack of {size} does not fit into the memory", flush=True)
                return
            each = size * examples
            row = row_of("stack", net, examples, size, best / each * 1e6, energy and energy / each)
            if ON_GPU:
                row["gigabytes"] = torch.cuda.max_memory_allocated() / 1e9
            row["seconds_to_begin"] = begins
            stack = None
        yield row


@contextlib.contextmanager
def memory_is_returned() -> Iterator[None]:
    yield
    if ON_GPU:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def both_ways(way: Callable[..., Any], given: list[Any], gradient: Any) -> None:
    torch.autograd.grad(way(*given), given, gradient)


def convolutions(size: int, batch: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield the milliseconds of ways to convolve a stack, forward and backward."""

    def grouped(x: Any, kernel: Any, bias: Any) -> Any:
        stack, n, rows, columns, channels = x.shape
        images = x.permute(1, 0, 4, 2, 3).reshape(n, stack * channels, rows, columns)
        y = functional.conv2d(images, kernel.flatten(0, 1), bias.flatten(), groups=stack)
        return y.unflatten(1, (stack, -1)).permute(1, 0, 3, 4, 2)

    def mapped(x: Any, kernel: Any, bias: Any) -> Any:
        y = torch.vmap(functional.conv2d)(x.permute(0, 1, 4, 2, 3), kernel, bias)
        return y.permute(0, 1, 3, 4, 2)

    for channels, maps, cells in ((1, 32, 15), (32, 64, 6)):
        shapes = (size, batch, cells, cells, channels), (size, maps, channels, 3, 3), (size, maps)
        with memory_is_returned():
            given = [torch.randn(shape, device=DEVICE).requires_grad_() for shape in shapes]
            gradient = torch.randn(size, batch, cells - 2, cells - 2, maps, device=DEVICE)
            for name, way in {"im2col": convolution, "grouped": grouped, "vmap": mapped}.items():
                best, _ = best_seconds(partial(both_ways, way, given, gradient), seconds)
                where = {"instances": size, "batch": batch, "layer": f"{channels}→{maps}"}
                yield {"way": name, **where, "milliseconds": best * 1e3}


def line(row: dict[str, Any]) -> str:
    """Return a row for the terminal."""
    if "milliseconds" in row:
        where = f"{row['layer']:>6}  batch {row['batch']:4} × {row['instances']:5}"
        return f"{where}  {row['way']:8} {row['milliseconds']:9.3f} ms"
    joules = f" {row['joules_per_instance']:8.1f} J" if row["joules_per_instance"] else ""
    moved = row.get("share_of_bandwidth")
    return (
        f"{row['model']}  batch {row['batch']:4}, {row['examples']:6} examples "
        f" {row['way']:14} × {row['instances']:5}"
        f" {row['microseconds_per_example']:10.4f} µs {row['instances_per_hour']:11.1f} /h"
        f" {row['times_sequential']:8.2f} × sequential {row['share_of_peak']:6.1%} of the products"
        f"{'' if moved is None else f' {moved:6.1%} of the bytes'}{joules}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few and small cases")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--models", default="")
    for name in ("--batches", "--examples", "--stacks"):
        parser.add_argument(name, default="")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--convolutions", action="store_true")
    asked = parser.parse_args()
    small = asked.quick or not ON_GPU

    def numbers(given: str, few: str, all_: str) -> list[int]:
        return [int(one) for one in (given or (few if small else all_)).split(",")]

    batches = numbers(asked.batches, "32", "16,32,64,256")
    examples = numbers(asked.examples, "8000" if ON_GPU else "256", "8000,32000")
    sizes = numbers(asked.stacks, "1,512" if ON_GPU else "1,4", "1,8,32,128,512,2048")
    seconds = asked.seconds or (0.3 if small else 1.0)
    test = TEST if ON_GPU else 256
    vmapped = VMAPPED if ON_GPU else (4,)

    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    name = torch.cuda.get_device_name(DEVICE) if ON_GPU else processor()
    found: dict[str, Any] = {"device": name, "torch": torch.__version__, "gpu": ON_GPU}
    if not ON_GPU:
        print("No GPU here: this runs small on one core, in CPU time, and measures no GPU.")
    found |= {"peaks": peaks(seconds), "epochs": EPOCHS, "test": test, "rows": []}
    print(
        f"{name}, torch {torch.__version__}: {found['peaks']['gflops']:,.0f} GFLOP/s of a matrix "
        f"product, {found['peaks']['gigabytes']:,.0f} GB/s of a copy",
        flush=True,
    )

    def note(row: dict[str, Any]) -> None:
        found["rows"].append(row)
        print(line(row), flush=True)
        if asked.json:
            asked.json.write_text(json.dumps(found, indent=2))

    if asked.convolutions:
        for batch in batches:
            for size in sizes:
                for row in convolutions(size, batch, seconds):
                    note(row)
        return
    for model in asked.models or ("1" if small else "1234"):
        for batch in batches:
            net = replace(preset(f"model_{model}"), batch_size=batch, objective="square")
            moved, sequential = bytes_per_example(net), float("nan")
            rows = [peers(net, examples[0], seconds, vmapped)]
            rows += [stacks(net, n, sizes, seconds, test) for n in examples]
            for row in (row for several in rows for row in several):
                if row["way"] == "torch":
                    sequential = row["microseconds_per_example"]
                each = row["microseconds_per_example"]
                row |= {
                    "model": model,
                    "times_sequential": sequential / each,
                    "share_of_peak": row["gflops"] / found["peaks"]["gflops"],
                }
                if row["way"] == "stack":
                    row["share_of_bandwidth"] = moved / each / 1e3 / found["peaks"]["gigabytes"]
                note(row)


if __name__ == "__main__":
    main()

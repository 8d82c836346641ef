"""The training loop: phases, resuming, devices, log; on networks that learn in seconds."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from made_clips import write_clips, write_config
from makeittalk.cli import main as cli
from makeittalk.exchange.errors import Cancelled, InputError
from makeittalk.networks.content_inference import load_content
from makeittalk.networks.speech_features import FEATURES
from makeittalk_lab.training import checkpoint
from makeittalk_lab.training.config import LoopConfig
from makeittalk_lab.training.content import ContentTrainingConfig
from makeittalk_lab.training.log import Log
from makeittalk_lab.training.loop import learning_share, run
from makeittalk_lab.training.phones import PhonesTrainingConfig
from makeittalk_lab.training.task import Draws
from makeittalk_lab.training.train import train
from project import CONFIGS, SUPPORT
from safetensors.torch import load, save_file
from torch import Tensor, nn

PROGRAM = [sys.executable, "-m", "makeittalk"]
ENVIRONMENT = dict(os.environ, MAKEITTALK_DEBUG="1")


class Duel:
    """A generator that learns to look like its data to a critic, behind a frozen layer."""

    name = "duel"
    phases: Mapping[str, tuple[str, ...]] = {"discriminator": ("critic",), "generator": ("maker", "last")}

    def __init__(self, blowing: int = 10**9) -> None:
        self.blowing = blowing  # batch from which on the data are infinite
        self.made = 0
        self.end: dict[str, nn.Module] = {}

    def networks(self) -> dict[str, nn.Module]:
        critic = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
        maker = nn.LSTM(4, 8, batch_first=True)
        return {"critic": critic, "maker": maker, "last": nn.Linear(8, 8), "frozen": nn.Linear(4, 4)}

    def batch(self, draws: Draws) -> dict[str, Tensor]:
        self.made += 1
        real = np.stack([3.0 + rng.normal(size=8) for rng in draws.examples])
        if self.made >= self.blowing:
            real[0, 0] = np.inf
        noise = np.stack([rng.normal(size=(5, 4)) for rng in draws.examples])
        return {"real": torch.from_numpy(real).float(), "noise": torch.from_numpy(noise).float()}

    def loss(self, phase: str, networks: Mapping[str, nn.Module], batch: dict[str, Tensor]) -> dict[str, Tensor]:
        states = networks["maker"](networks["frozen"](batch["noise"]))[0][:, -1]
        made = networks["last"](nn.functional.dropout(states, 0.1))
        fake = networks["critic"](made)
        if phase == "discriminator":
            real = networks["critic"](batch["real"])
            return {"loss": (real - 1).square().mean() + fake.square().mean(), "real": real.mean()}
        return {"loss": (made - batch["real"]).square().mean() + 0.1 * (fake - 1).square().mean()}

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        assert not networks["critic"].training
        made = networks["last"](networks["maker"](networks["frozen"](torch.zeros(1, 5, 4)))[0][:, -1])
        return {"distance": float((made - 3.0).abs().mean())}

    def save(self, networks: Mapping[str, nn.Module], out: Path, notes: dict[str, str]) -> None:
        self.end = dict(networks)
        (out / "weights.json").write_text(json.dumps(notes))


def settings(out: Path, **more) -> LoopConfig:
    values = {"steps": 40, "batch": 8, "learning_rate": 1e-2, "warmup": 5, "validate_every": 20, "threads": 1}
    return LoopConfig(**(values | {"out": str(out), "checkpoint_every": 7, "seed": 5} | more))


def states(task: Duel) -> dict[str, Tensor]:
    return {f"{name}.{key}": v for name, network in task.end.items() for key, v in network.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[key]) for key, value in first.items())


def stop_at(share: float):
    def progress(fraction: float, _stage: str) -> None:
        if fraction >= share:
            raise Cancelled()

    return progress


def test_phases_take_turns_and_the_frozen_stays(tmp_path):
    task = Duel()
    torch.manual_seed(5)
    fresh = {name: {k: v.clone() for k, v in n.state_dict().items()} for name, n in task.networks().items()}
    run(task, settings(tmp_path, steps=120, learning_rate=0.05))
    log = Log(tmp_path).read()
    assert [entry["step"] for entry in log] == list(range(1, 121))
    assert log[-1]["generator/loss"] < 0.5 * log[0]["generator/loss"]
    assert {"discriminator/loss", "discriminator/real", "generator/loss", "rate", "seconds"} < log[0].keys()
    assert [entry["step"] for entry in log if "validation" in entry] == list(range(20, 121, 20))
    assert log[-1]["validation"]["distance"] < 0.5
    assert json.loads((tmp_path / "weights.json").read_text()) == {"steps": "120"}
    for name, network in task.end.items():
        assert same(fresh[name], network.state_dict()) == (name == "frozen")
    # A phase moves its own networks only.
    task.phases = {"generator": ("maker", "last")}
    run(task, settings(tmp_path / "one", steps=3))
    assert same(
        {k: v for k, v in fresh["critic"].items() if "running" not in k and "num_b" not in k},
        {k: v for k, v in task.end["critic"].state_dict().items() if "running" not in k and "num_b" not in k},
    )
    assert not same(fresh["maker"], task.end["maker"].state_dict())
    assert "loss" in Log(tmp_path / "one").read()[0]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_cancelled_run_goes_on_to_the_same_end(tmp_path, precision):
    whole, broken = Duel(), Duel()
    run(whole, settings(tmp_path / "whole", precision=precision))
    for share in (0.45, 0.8):  # steps 18 and 32; the last checkpoints are those of 14 and 28
        with pytest.raises(Cancelled):
            run(broken, settings(tmp_path / "broken", precision=precision), stop_at(share))
    assert not broken.end
    assert Log(tmp_path / "broken").read()[-1]["step"] == 32
    run(broken, settings(tmp_path / "broken", precision=precision))
    assert same(states(whole), states(broken))
    logs = [Log(tmp_path / name).read() for name in ("whole", "broken")]
    for entry in (*logs[0], *logs[1]):
        entry.pop("seconds")
    assert logs[0] == logs[1]


class Watched(Duel):
    """Keeps the networks it began with, which a run goes on changing."""

    def networks(self) -> dict[str, nn.Module]:
        self.all = super().networks()
        return self.all


def test_the_average_is_validated_and_saved(tmp_path):
    """Polyak's average, reckoned here from the weights of every step; the first ones are soon forgotten."""
    task, seen = Watched(), []

    def remember(_fraction: float, _stage: str) -> None:
        seen.append({key: value.clone() for key, value in task.all["last"].state_dict().items()})

    torch.manual_seed(5)
    wanted = Duel().networks()["last"].state_dict()  # what a run of this seed begins with
    run(task, settings(tmp_path, average=0.9), remember)
    for step, weights in enumerate(seen, 1):
        kept = min(0.9, step / (step + 9))
        wanted = {key: kept * value + (1.0 - kept) * weights[key] for key, value in wanted.items()}
    for key, value in task.end["last"].state_dict().items():
        assert torch.allclose(value, wanted[key], atol=1e-6) and not torch.allclose(value, seen[-1][key], atol=1e-4)
    assert same(task.end["frozen"].state_dict(), task.all["frozen"].state_dict())
    assert not task.end["critic"].training
    with torch.no_grad():
        told = task.validate({name: network.eval() for name, network in task.end.items()})
    assert Log(tmp_path).read()[-1]["validation"]["distance"] == pytest.approx(told["distance"], rel=1e-3)


def test_a_cancelled_average_goes_on_to_the_same_end(tmp_path):
    whole, broken, plain = Duel(), Duel(), Duel()
    run(whole, settings(tmp_path / "whole", average=0.9))
    with pytest.raises(Cancelled):
        run(broken, settings(tmp_path / "broken", average=0.9), stop_at(0.6))
    run(broken, settings(tmp_path / "broken", average=0.9))
    assert same(states(whole), states(broken))
    # What is learnt does not depend on the average.
    run(plain, settings(tmp_path / "plain"))
    losses = [[entry["generator/loss"] for entry in Log(tmp_path / name).read()] for name in ("whole", "plain")]
    assert losses[0] == losses[1] and not same(states(whole), states(plain))


def test_an_average_begins_with_the_weights_that_a_run_starts_from(tmp_path):
    first, more = Duel(), Duel()
    run(first, settings(tmp_path / "first"))
    run(more, settings(tmp_path / "more", start=str(tmp_path / "first"), steps=1, learning_rate=1e-9, average=0.9))
    assert torch.allclose(first.end["last"].weight, more.end["last"].weight, atol=1e-6)


def test_what_is_saved_keeps_a_share_of_what_a_run_starts_from(tmp_path):
    first, whole, mixed = Duel(), Duel(), Duel()
    run(first, settings(tmp_path / "first"))
    start = {"start": str(tmp_path / "first"), "steps": 5, "learning_rate": 0.05}
    run(whole, settings(tmp_path / "whole", **start))
    run(mixed, settings(tmp_path / "mixed", **start, start_share=0.25))
    weights = [task.end["last"].weight for task in (first, whole, mixed)]
    assert not torch.allclose(weights[0], weights[1], atol=1e-3)
    assert torch.allclose(weights[2], 0.25 * weights[0] + 0.75 * weights[1], atol=1e-6)
    with pytest.raises(ValueError, match="start_share needs a start"):
        settings(tmp_path, start_share=0.25).check()


def test_another_seed_ends_elsewhere(tmp_path):
    first, second = Duel(), Duel()
    run(first, settings(tmp_path / "a", steps=3))
    run(second, settings(tmp_path / "b", steps=3, seed=6))
    assert not same(states(first), states(second))


@pytest.mark.parametrize(
    "line",
    [
        '{"step": 1e400}',
        '{"step": 1' + "0" * 400 + "}",
        '{"step": true}',
        '{"step": null, "seconds": 3}',
        "[" * 50_000,
        "[1]",
        '"step"',
        "\ud800",
    ],
    ids=lambda line: line[:20],
)
def test_a_log_line_that_is_none_is_dropped(tmp_path, line):
    log = Log(tmp_path)
    log.add({"step": 1, "loss": 2.0})
    with open(log.path, "ab") as stream:
        stream.write(b"\n\n" + line.encode("utf-8", "surrogatepass") + b"\n")
    log.add({"step": 2, "seconds": 1e400, "junk": ["x"], "validation": {"D": 1.0, "more": {}}})
    assert log.read() == [
        {"step": 1, "loss": 2.0},
        {"step": 2, "seconds": float("inf"), "validation": {"D": 1.0}},
    ]
    assert log.cut(2) == 0.0


@pytest.mark.parametrize("line", [b"", b"0", b"{}"])
def test_a_log_of_other_lines_is_one_sentence(tmp_path, line):
    (tmp_path / "log.jsonl").write_bytes((line + b"\n") * 20_000_000)
    if not line:
        assert Log(tmp_path).read() == []
    else:
        with pytest.raises(InputError, match=r"log\.jsonl is damaged"):
            Log(tmp_path).read()


def test_a_cut_log_line_is_dropped(tmp_path):
    with pytest.raises(Cancelled):
        run(Duel(), settings(tmp_path), stop_at(0.5))
    with open(tmp_path / "log.jsonl", "a") as stream:
        stream.write('{"step": 21, "los')
    run(Duel(), settings(tmp_path))
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [*range(1, 41)]


@pytest.mark.parametrize("harm", ["cut", "noise", "other", "exp_avg", "shape", "nan", "step", "index"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path, harm):
    with pytest.raises(Cancelled):
        run(Duel(), settings(tmp_path), stop_at(0.5))
    path = tmp_path / checkpoint.NAME
    data = path.read_bytes()
    if harm == "other":
        other = {"critic": nn.Linear(2, 2)}
        checkpoint.save(tmp_path, "duel", 7, other, {"critic": torch.optim.Adam(other["critic"].parameters())})
    elif harm in ("cut", "noise"):
        path.write_bytes(data[: len(data) // 2] if harm == "cut" else b"\xff" * 100)
    else:
        tensors, meta = load(data), {"task": "duel", "step": "20"}
        part = next(name for name in tensors if name.startswith("optimizer.") and name.endswith(".exp_avg"))
        moment = tensors.pop(part)
        if harm == "shape":
            tensors[part] = moment.flatten()[:1].repeat(3, 1)
        elif harm == "nan":
            tensors[part] = moment * float("nan")
        elif harm == "step":
            tensors[part], meta["step"] = moment, "9" * 5000
        elif harm == "index":
            tensors[part], tensors[f"{part.rsplit('.', 2)[0]}.99999.exp_avg"] = moment, moment.clone()
        save_file(tensors, path, meta)
    with pytest.raises(InputError, match=r"checkpoint\.safetensors does not fit this training"):
        run(Duel(), settings(tmp_path))
    checkpoint.save(tmp_path, "another", 7, {}, {})
    with pytest.raises(InputError, match="does not fit"):
        run(Duel(), settings(tmp_path))


def test_an_infinite_loss_ends_the_run_and_spoils_nothing(tmp_path):
    with pytest.raises(InputError, match="duel became infinite at step 18"):
        run(Duel(blowing=18), settings(tmp_path))
    assert Log(tmp_path).read()[-1]["step"] == 17
    task = Duel()
    run(task, settings(tmp_path))  # from the checkpoint of step 14
    assert all(value.isfinite().all() for value in states(task).values())


def test_fine_tuning_takes_the_networks_and_fresh_moments(tmp_path):
    first, more = Duel(), Duel()
    run(first, settings(tmp_path / "first"))
    run(more, settings(tmp_path / "more", start=str(tmp_path / "first"), steps=1, learning_rate=1e-9))
    near = zip(states(first).items(), states(more).values(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-6) for (key, a), b in near if "running" not in key and "num_b" not in key)
    with pytest.raises(InputError, match="holds no checkpoint to start from"):
        run(Duel(), settings(tmp_path / "third", start=str(tmp_path)))


def test_devices_that_are_not_there_are_one_sentence(tmp_path):
    for more in ({"precision": "wild"}, {"accelerator": "abacus"}, {"devices": 0, "accelerator": "cpu"}):
        with pytest.raises(InputError, match="cannot train on"):
            run(Duel(), settings(tmp_path, **more))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="cannot train on"):
            run(Duel(), settings(tmp_path, accelerator="cuda"))


def test_batches_made_by_other_processes_are_the_same(tmp_path):
    alone, helped = Duel(), Duel()
    run(alone, settings(tmp_path / "alone", steps=6))
    run(helped, settings(tmp_path / "helped", steps=6, workers=2))
    assert same(states(alone), states(helped)) and helped.made == 0


def test_the_rate_rises_and_falls():
    settings = LoopConfig(steps=100, warmup=10)
    shares = [learning_share(step, settings) for step in range(100)]
    assert shares[0] == pytest.approx(0.1) and shares[10] == 1.0 and shares[99] < 0.001
    assert np.argmax(shares) in (9, 10) and (np.diff(shares[10:]) < 0).all()


TWO = """
import sys
sys.path[:0] = {folders!r}
import os, torch
from pathlib import Path
from test_loop import Duel, settings
from makeittalk_lab.training.loop import run

class Kept(Duel):
    def networks(self):
        self.all = super().networks()
        return self.all

task = Kept()
run(task, settings(Path(sys.argv[1]), accelerator="cpu", devices=2, steps=8))
torch.save([n.state_dict() for n in task.all.values()], Path(sys.argv[1]) / (os.environ["LOCAL_RANK"] + ".pt"))
"""


def test_two_processes_learn_one_network(tmp_path):
    """Two processes on the CPU: each draws its share, both end with the same parameters, one of them writes."""
    script = tmp_path / "two.py"
    script.write_text(TWO.format(folders=[str(Path(__file__).parent), str(SUPPORT)]))
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    for mine, other in zip(first, second, strict=True):
        learnt = {key: value for key, value in mine.items() if "running" not in key}
        assert same(learnt, {key: other[key] for key in learnt})
    assert [entry["step"] for entry in Log(tmp_path).read()] == list(range(1, 9))
    alone = Duel()
    run(alone, settings(tmp_path / "alone", steps=8))
    assert not torch.equal(alone.end["last"].weight, first[2]["weight"])  # it saw other examples


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    return write_clips(tmp_path_factory.mktemp("prepared"))


def test_a_killed_program_goes_on_to_the_same_end(prepared, tmp_path):
    """`makeittalk train` is killed without warning; the weights are those of a run that was left alone."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    steps = 30
    train("content", write_config(whole, prepared, steps, more=""))
    command = [*PROGRAM, "train", "content", str(write_config(broken, prepared, steps, more="")), "--device", "cpu"]
    process = subprocess.Popen(command, env=ENVIRONMENT)
    deadline = time.monotonic() + 200
    while not (broken / "out").is_dir() or len(Log(broken / "out").read()) < 13:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken / "out/content.safetensors").exists()
    subprocess.run([*command, "--plot", str(tmp_path / "log.png")], env=ENVIRONMENT, check=True)
    first, second = (
        load_content(str(folder / "out/content.safetensors")).branch.state_dict() for folder in (whole, broken)
    )
    assert same(first, second)
    assert [entry["step"] for entry in Log(broken / "out").read()] == list(range(1, steps + 1))
    assert (tmp_path / "log.png").read_bytes().startswith(b"\x89PNG")


def test_the_log_is_drawn(tmp_path):
    with pytest.raises(InputError, match="nothing to draw"):
        Log(tmp_path).plot(tmp_path / "log.png")
    log = Log(tmp_path)
    for step in range(1, 1001):
        log.add({"step": step, "loss": 1 / step, "part": -1.0} | ({} if step % 100 else {"validation": {"D": step}}))
    log.plot(tmp_path / "log.png")
    import cv2

    picture = cv2.imread(str(tmp_path / "log.png"))
    assert picture.shape[1] == 1200 and picture.std() > 10


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps = ", "TOML|Invalid"),
        ("\xff", "UTF-8"),
        ("x = " + "[" * 5000, "nested|recursion"),
        ("x" + ".x" * 100_000 + " = 1", "too many parts"),
        ("data = ['x']\nout = 'y'\nlearning_rate = inf", "learning_rate is no number"),
        ("data = ['x']\nout = 'y'\nlearning_rate = 1" + "0" * 400, "is not a training configuration"),
        ("data = ['x']\nout = 'y'\nsteps = 1" + "0" * 400, "steps is too large"),
        ("steps = 1" + "0" * 5000, "valid TOML"),
        ("[network]\ninputs = 80", "out folder"),
        ("out = 'y'", "data folders"),
        ("data = ['x']\nout = 'y'\nspeed = 3", "no key 'speed'"),
        ("data = ['x']\nout = 'y'\n[network]\nwide = 3", "no key 'wide'"),
        ("data = ['x']\nout = 'y'\nsteps = 'many'", "steps is of the wrong type"),
        ("data = ['x']\nout = 'y'\nsteps = -1", "steps must be above 0"),
        ("data = ['x']\nout = 'y'\nlearning_rate = nan", "learning_rate is no number"),
        ("data = ['x']\nout = 'y'\nshare = [1.0, 2.0]", "share needs one number"),
        ("data = ['x']\nout = 'y'\naverage = 1.0", "average must be below 1"),
        ("data = ['x']\nout = 'y'\naverage = -0.1", "average must not be below 0"),
        ("data = ['x']\nout = 'y'\nnetwork = 3", "network is a table"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(tmp_path, capsys, text, complaint):
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=rf"config\.toml.*({complaint})"):
        ContentTrainingConfig.load(path)
    assert cli.main(["train", "content", str(path)]) == 2
    told = capsys.readouterr().err
    assert "config.toml" in told and told.count("\n") == 1


def test_shipped_configurations_can_be_read():
    for path in CONFIGS.glob("content*.toml"):
        assert ContentTrainingConfig.load(path).network.inputs in FEATURES.values()
    assert PhonesTrainingConfig.load(CONFIGS / "phones.toml", devices="2", accelerator=None).devices == "2"

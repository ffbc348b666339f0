"""One PyTorch network: its layers, its training, its determinism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xascoord.core.errors import XascoordError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """Layers of a network.

    Attributes
    ----------
    filters
        Filters of each convolutional layer, each followed by max-pooling; none: dense only.
    kernel, pool
        Points of a filter and of the pooling.
    dense
        Neurons of each dense layer.
    activation
        logistic, tanh or relu.
    dropout
        Behind each dense layer.
    """

    filters: tuple[int, ...]
    kernel: int
    pool: int
    dense: tuple[int, ...]
    activation: str
    dropout: float


@dataclass(frozen=True)
class Training:
    """How a network is trained (Adam).

    ``patience`` is the number of passes without a better validation loss before training stops
    and the best weights are taken; None: all epochs, last weights. ``fused`` takes torch's faster
    steps of Adam, whose last digits differ.
    """

    learning_rate: float
    weight_decay: float
    batch: int
    epochs: int
    patience: int | None
    seed: int
    device: str = "cpu"
    fused: bool = False


Weights = dict[str, npt.NDArray[np.float32]]
History = list[tuple[float, float]]


def fit_weights(
    shape: Shape,
    training: Training,
    loss: str,
    learnt: tuple[Any, Any],
    held_out: tuple[Any, Any] | None,
    outputs: int,
    initial: str,
) -> tuple[Weights, int, History]:
    """Build and train a network, the same each time.

    Parameters
    ----------
    shape, training
        Layers, and how they are trained.
    loss
        "cross_entropy" (targets are classes) or "mse" (targets of shape (n, outputs)).
    learnt, held_out
        (inputs, targets); inputs of shape (n, points), float32.
    outputs
        Outputs of the network.
    initial
        "torch": torch's own starting weights; "xavier": Glorot's uniform ones, biases 0 (Keras).

    Returns
    -------
    weights, epochs, history
        See ``train_module``.
    """
    from torch import nn

    function = {"cross_entropy": nn.functional.cross_entropy, "mse": nn.functional.mse_loss}[loss]
    with deterministic(training.seed):
        module = build_module(shape, learnt[0].shape[1], outputs)
        if initial == "xavier":
            for layer in module:
                if isinstance(layer, nn.Linear | nn.Conv1d):
                    nn.init.xavier_uniform_(layer.weight)
                    if layer.bias is not None:
                        nn.init.zeros_(layer.bias)
        epochs, history = train_module(module, function, training, learnt, held_out)
    state = module.cpu().state_dict()
    return {name: value.numpy().copy() for name, value in state.items()}, epochs, history


def outputs_of(shape: Shape, weights: Weights, inputs: Any, outputs: int) -> Array:
    """What a trained network gives for inputs (n, points); shape (n, outputs)."""
    import torch

    with deterministic(0), torch.no_grad():
        module = build_module(shape, inputs.shape[1], outputs)
        module.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        module.eval()
        found: Array = module(torch.from_numpy(inputs)).double().numpy()
    return found


def build_module(shape: Shape, inputs: int, outputs: int) -> Any:
    """An untrained torch module from (n, inputs) to (n, outputs)."""
    from torch import nn

    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid}[shape.activation]
    layers: list[Any] = []
    width, channels = inputs, 1
    if shape.filters:
        layers.append(nn.Unflatten(1, (1, inputs)))
        for filters in shape.filters:
            layers += [nn.Conv1d(channels, filters, shape.kernel, padding="same"), activation()]
            channels = filters
            if width >= shape.pool:
                layers.append(nn.MaxPool1d(shape.pool))
                width //= shape.pool
        layers.append(nn.Flatten())
    width *= channels
    for neurons in shape.dense:
        layers += [nn.Linear(width, neurons), activation()]
        if shape.dropout:
            layers.append(nn.Dropout(shape.dropout))
        width = neurons
    layers.append(nn.Linear(width, outputs))
    return nn.Sequential(*layers)


def train_module(
    module: Any,
    loss: Any,
    training: Training,
    learnt: tuple[Any, Any],
    held_out: tuple[Any, Any] | None,
) -> tuple[int, list[tuple[float, float]]]:
    """Train in place.

    Parameters
    ----------
    module
        From ``build_module``.
    loss
        Function of (outputs, targets).
    training
        Its settings.
    learnt, held_out
        (inputs, targets) of training and of validation.

    Returns
    -------
    epochs
        Passes up to the weights that are kept.
    history
        (training loss, validation loss) of each pass.
    """
    import torch

    device = torch.device(training.device)
    module.to(device)
    inputs, targets = (torch.from_numpy(part).to(device) for part in learnt)
    others = None if held_out is None else [torch.from_numpy(p).to(device) for p in held_out]
    optimizer = torch.optim.Adam(
        _penalised(module, training.weight_decay),
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=training.fused or None,
    )
    order = torch.Generator().manual_seed(training.seed)
    best, kept, epoch_kept = float("inf"), None, 0
    history: list[tuple[float, float]] = []
    for epoch in range(1, training.epochs + 1):
        module.train()
        total = 0.0
        for part in torch.randperm(len(inputs), generator=order).to(device).split(training.batch):
            optimizer.zero_grad(set_to_none=True)
            value = loss(module(inputs[part]), targets[part])
            value.backward()
            optimizer.step()
            total += float(value.detach()) * len(part)
        if not np.isfinite(total):
            raise XascoordError("the network's loss is not finite; lower its learning_rate")
        watched = float("nan")
        if others is not None:
            module.eval()
            with torch.no_grad():
                watched = float(loss(module(others[0]), others[1]))
            if watched < best:
                best, epoch_kept = watched, epoch
                kept = {name: value.clone() for name, value in module.state_dict().items()}
            elif training.patience is not None and epoch - epoch_kept >= training.patience:
                history.append((total / len(inputs), watched))
                break
        history.append((total / len(inputs), watched))
    if training.patience is not None and kept is not None:
        module.load_state_dict(kept)
    else:
        epoch_kept = len(history)
    return epoch_kept, history


def _penalised(module: Any, weight_decay: float) -> Any:
    """Parameters for an optimizer: the penalty is on weights, not on biases."""
    if not weight_decay:
        return module.parameters()
    weights = [p for p in module.parameters() if p.ndim > 1]
    biases = [p for p in module.parameters() if p.ndim <= 1]
    return [{"params": weights}, {"params": biases, "weight_decay": 0.0}]


class deterministic:
    """Within it torch gives the same numbers each time; its global state is as before after it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __enter__(self) -> None:
        import os

        import torch

        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        self._threads = torch.get_num_threads()
        self._strict = torch.are_deterministic_algorithms_enabled()
        self._state = torch.get_rng_state()
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(self.seed)

    def __exit__(self, *_: object) -> None:
        import torch

        torch.set_rng_state(self._state)
        torch.use_deterministic_algorithms(self._strict)
        torch.set_num_threads(self._threads)


def pick_device(wish: str) -> str:
    """The device to train on: ``auto`` is a GPU if there is one."""
    import torch

    return "cuda" if wish == "auto" and torch.cuda.is_available() else "cpu"

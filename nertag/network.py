"""The torch network: distinct forms, windows and lengths in, logits out. It knows no files and no strings.

A form's vector joins its word embedding, a convolution over its characters and an embedding of its shape; recurrent
layers read the vectors of a window, and a linear layer scores every tag at every token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nertag.config import Activation, Cell, ModelConfig
from nertag.features import PADDING, SHAPES, UNKNOWN, Batch


@dataclass(frozen=True, slots=True)
class TorchBatch:
    """A `nertag.features.Batch` as tensors on one device, with its gold tags where there are any.

    Attributes:
        word_ids: int64, (forms, words).
        character_ids: int64, (forms, characters).
        shape_ids: int64, (forms,).
        forms: int64, (batch, time).
        lengths: int64, (batch,).
        gold: Tag ids, int64, (batch, time), 0 past the lengths; None when only tagging.
        soft: Probabilities to learn instead, float32, (batch, time, tags), arbitrary past the lengths; None to learn
            `gold`.
    """

    word_ids: Tensor
    character_ids: Tensor
    shape_ids: Tensor
    forms: Tensor
    lengths: Tensor
    gold: Tensor | None = None
    soft: Tensor | None = None

    @classmethod
    def of(
        cls,
        batch: Batch,
        device: torch.device | str = "cpu",
        gold: Tensor | None = None,
        soft: Tensor | None = None,
    ) -> TorchBatch:
        """Move a batch, and what is to be learned if given, to a device."""
        arrays = (batch.word_ids, batch.character_ids, batch.shape_ids, batch.forms, batch.lengths)
        words, characters, shapes, forms, lengths = (
            torch.from_numpy(array).to(device, non_blocking=True) for array in arrays
        )
        learned = [None if target is None else target.to(device, non_blocking=True) for target in (gold, soft)]
        return cls(words, characters, shapes, forms, lengths, *learned)

    @property
    def mask(self) -> Tensor:
        """True on real tokens, bool, (batch, time)."""
        return torch.arange(self.forms.shape[1], device=self.forms.device) < self.lengths[:, None]


class FrozenEmbedding(nn.Module):
    """Pretrained vectors that training leaves alone, as 8-bit integers with one scale per word.

    The rounding is done before training, so that what is trained, stored and run is the same to the last bit.

    Args:
        rows: Words, padding and the unknown word included.
        size: Dimensions.
    """

    table: Tensor
    scale: Tensor

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(rows, size, dtype=torch.int8))
        self.register_buffer("scale", torch.zeros(rows))

    def fill(self, vectors: Tensor) -> None:
        """Take over float32 vectors, (rows, size)."""
        scale = vectors.abs().amax(dim=1) / 127
        self.scale.copy_(scale)
        self.table.copy_((vectors / scale.clamp(min=1e-12)[:, None]).round().to(torch.int8))

    def forward(self, ids: Tensor) -> Tensor:
        """Look rows up: int64, any shape, to float32, the same shape and `size`."""
        return self.table[ids].float() * self.scale[ids][..., None]


class CharacterConvolution(nn.Module):
    """A word's vector from its characters: embedding, convolution, ReLU, maximum over the positions.

    Source: Ma and Hovy 2016, arXiv:1603.01354, with ReLU, so that a masked position, which is 0, never wins.
    """

    def __init__(self, characters: int, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, config.character_size, padding_idx=PADDING)
        width = config.character_width
        self.convolution = nn.Conv1d(config.character_size, config.character_filters, width, padding=width // 2)

    def forward(self, ids: Tensor) -> Tensor:
        """Compute word vectors: int64, (forms, characters) to float32, (forms, filters)."""
        mask = (ids != PADDING)[:, None, :]
        hidden = torch.relu(self.convolution(self.embedding(ids).transpose(1, 2)))
        return (hidden * mask).amax(dim=2)


class StepByStep(nn.Module):
    """One direction of one recurrent layer, as the equations say, one time step after the other.

    It serves what torch's own kernels cannot do: a sigmoid in the plain cell, and an input that is projected already,
    as a one-hot word's is. Weights are laid out as in `torch.nn.LSTM`, `GRU` and `RNN`, and so are the equations:

        rnn: h_t = φ(W·x_t + b + U·h_{t-1} + c)
        gru: r, z = σ(...), n = tanh(W_n·x_t + b_n + r ∘ (U_n·h_{t-1} + c_n)), h_t = (1 - z) ∘ n + z ∘ h_{t-1}
        lstm: i, f, o = σ(...), g = tanh(...), c_t = f ∘ c_{t-1} + i ∘ g, h_t = o ∘ tanh(c_t)

    Args:
        cell: Which equations.
        activation: φ of the plain cell.
        input_size: Features of a step; None if the input is W·x_t already, of `gates * hidden_size` features.
        hidden_size: Units.
    """

    def __init__(self, cell: Cell, activation: Activation, input_size: int | None, hidden_size: int) -> None:
        super().__init__()
        self.cell = cell
        self.activation = activation
        rows = {"lstm": 4, "gru": 3, "rnn": 1}[cell] * hidden_size
        self.weight_ih_l0 = None if input_size is None else nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))

    def forward(self, inputs: Tensor) -> tuple[Tensor, None]:
        """Read the steps from first to last: (batch, time, input) to hidden states, (batch, time, hidden)."""
        projected = inputs if self.weight_ih_l0 is None else inputs @ self.weight_ih_l0.T
        projected = projected + self.bias_ih_l0
        hidden = inputs.new_zeros(inputs.shape[0], self.weight_hh_l0.shape[1])
        state = hidden
        outputs = []
        for step in projected.unbind(dim=1):
            hidden, state = self._step(step, hidden, state)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), None

    def _step(self, projected: Tensor, hidden: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Advance by one step; `state` is c of the LSTM."""
        recurrent = hidden @ self.weight_hh_l0.T + self.bias_hh_l0
        if self.cell == "rnn":
            phi = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[self.activation]
            return phi(projected + recurrent), state
        if self.cell == "gru":
            x_r, x_z, x_n = projected.chunk(3, dim=1)
            h_r, h_z, h_n = recurrent.chunk(3, dim=1)
            update = torch.sigmoid(x_z + h_z)
            candidate = torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
            return (1 - update) * candidate + update * hidden, state
        entry, forget, candidate, exit_ = (projected + recurrent).chunk(4, dim=1)
        state = torch.sigmoid(forget) * state + torch.sigmoid(entry) * torch.tanh(candidate)
        return torch.sigmoid(exit_) * torch.tanh(state), state


def _one_direction(config: ModelConfig, input_size: int | None) -> nn.Module:
    """Make one direction of one layer: torch's kernel where there is one."""
    hidden = config.hidden_size
    if input_size is None or (config.cell == "rnn" and config.activation == "sigmoid"):
        return StepByStep(config.cell, config.activation, input_size, hidden)
    if config.cell == "rnn":
        return nn.RNN(input_size, hidden, batch_first=True, nonlinearity=config.activation)
    return (nn.LSTM if config.cell == "lstm" else nn.GRU)(input_size, hidden, batch_first=True)


class RecurrentLayer(nn.Module):
    """One recurrent layer, read from both ends or from the first token on only.

    The backward direction reads each window reversed within its own length, so padding always comes last and changes
    nothing; measured, this trains more than twice as fast on a CPU as packed sequences do.

    Args:
        config: Cell, direction and hidden size.
        input_size: Features per token; None if the input holds W·x_t of every direction side by side.
    """

    def __init__(self, config: ModelConfig, input_size: int | None) -> None:
        super().__init__()
        self.projected = input_size is None
        self.readers = nn.ModuleList(_one_direction(config, input_size) for _ in range(config.directions))

    def forward(self, inputs: Tensor, reversed_order: Tensor) -> Tensor:
        """Compute hidden states.

        Args:
            inputs: float32, (batch, time, input).
            reversed_order: For every position the one it swaps with when its window is reversed, int64, (batch, time).

        Returns:
            Hidden states, forward then backward, float32, (batch, time, directions * hidden).
        """
        parts = inputs.chunk(len(self.readers), dim=2) if self.projected else [inputs] * len(self.readers)
        outputs = [self.readers[0](parts[0])[0]]
        if len(self.readers) == 2:
            backwards = self.readers[1](_reorder(parts[1], reversed_order))[0]
            outputs.append(_reorder(backwards, reversed_order))
        return torch.cat(outputs, dim=2)


def _reorder(values: Tensor, order: Tensor) -> Tensor:
    """Permute the tokens of each window: (batch, time, features) by (batch, time)."""
    return values.gather(1, order[:, :, None].expand(-1, -1, values.shape[2]))


class SharedDropout(nn.Module):
    """Dropout of the same features at every step of a window (Gal and Ghahramani 2016, arXiv:1512.05287).

    Args:
        rate: Share of features dropped while training.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, values: Tensor) -> Tensor:
        """Drop features of (batch, time, features)."""
        if not self.training or self.rate == 0:
            return values
        keep = torch.empty(values.shape[0], 1, values.shape[2], device=values.device).bernoulli_(1 - self.rate)
        return values * keep / (1 - self.rate)


class Network(nn.Module):
    """The tagger's network.

    Args:
        config: Its shape.
        words: Rows of the word embedding, padding and the unknown word included.
        characters: Rows of the character embedding, likewise.
        embedding_size: Dimensions of the word vectors.
        dropout: Share of features dropped before and after every recurrent layer while training.
        word_dropout: Share of tokens that lose their word vector while training.
    """

    def __init__(
        self,
        config: ModelConfig,
        words: int,
        characters: int,
        embedding_size: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.config = config
        self.word_dropout = word_dropout
        first_rows = config.directions * config.gates * config.hidden_size
        self.one_hot = config.embedding == "one-hot"
        self.word_size = first_rows if self.one_hot else embedding_size
        frozen = config.embedding == "pretrained" and not config.tune_embedding
        self.words: FrozenEmbedding | nn.Embedding
        if frozen:
            self.words = FrozenEmbedding(words, self.word_size)
        else:
            self.words = nn.Embedding(words, self.word_size, padding_idx=PADDING)
        self.characters = CharacterConvolution(characters, config) if config.characters else None
        self.shapes = nn.Embedding(len(SHAPES), config.shape_size, padding_idx=PADDING) if config.shapes else None
        extra = config.characters * config.character_filters + config.shapes * config.shape_size
        self.mixer = nn.Linear(extra, first_rows, bias=False) if self.one_hot and extra else None
        first = None if self.one_hot else self.word_size + extra
        deeper = [config.directions * config.hidden_size] * (config.layers - 1)
        self.form_size = first or self.word_size
        self.layers = nn.ModuleList(RecurrentLayer(config, size) for size in (first, *deeper))
        self.dropout = SharedDropout(dropout)
        self.output = nn.Linear(config.directions * config.hidden_size, config.outputs)
        self.reset()

    def reset(self) -> None:
        """Initialise the weights against vanishing and exploding gradients.

        Input weights by Glorot and Bengio 2010; recurrent ones orthogonal per gate (Saxe et al. 2014, arXiv:1312.6120);
        biases 0, the LSTM's forget gate 1 (Jozefowicz et al. 2015).
        """
        for name, parameter in self.layers.named_parameters():
            if "weight_hh" in name:
                for gate in parameter.data.chunk(self.config.gates):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
                if self.config.cell == "lstm" and "bias_ih" in name:
                    hidden = self.config.hidden_size
                    parameter.data[hidden : 2 * hidden] = 1.0
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        if isinstance(self.words, nn.Embedding):
            nn.init.uniform_(self.words.weight, -0.1, 0.1)
            self.words.weight.data[PADDING] = 0

    def fill_words(self, vectors: Tensor) -> None:
        """Take over pretrained vectors, float32, (words, embedding_size)."""
        if isinstance(self.words, FrozenEmbedding):
            self.words.fill(vectors)
        else:
            self.words.weight.data.copy_(vectors)

    def forward(self, batch: TorchBatch) -> Tensor:
        """Score every tag at every token.

        Returns:
            Logits, float32, (batch, time, outputs); arbitrary past the lengths.

        Source: Lample et al. 2016, arXiv:1603.01360, with the characters of Ma and Hovy 2016 and without the CRF.
        """
        hidden = self._inputs(batch)
        if not self.one_hot:
            hidden = self.dropout(hidden)
        order = _reversal(batch.lengths, batch.forms.shape[1])
        for layer in self.layers:
            hidden = self.dropout(layer(hidden, order))
        logits: Tensor = self.output(hidden).float()
        return logits

    def _inputs(self, batch: TorchBatch) -> Tensor:
        """Join a token's vectors: (batch, time, features); for one-hot words W·x_t of every direction."""
        word = self._drop_words(self._words_of_forms(batch.word_ids)[batch.forms])
        parts: list[Tensor] = []
        if self.characters is not None:
            parts.append(self.characters(batch.character_ids)[batch.forms])
        if self.shapes is not None:
            parts.append(self.shapes(batch.shape_ids)[batch.forms])
        if not self.one_hot:
            return torch.cat([word, *parts], dim=2)
        if self.mixer is None:
            return word
        mixed: Tensor = self.mixer(self.dropout(torch.cat(parts, dim=2)))
        return word + mixed

    def _words_of_forms(self, ids: Tensor) -> Tensor:
        """Return the mean vector of the words of every form: (forms, words), 0 being none, to (forms, size)."""
        there = (ids != PADDING)[:, :, None]
        mean: Tensor = (self.words(ids) * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return mean

    def _drop_words(self, vectors: Tensor) -> Tensor:
        """Replace a share of the words' vectors, (batch, time, size), by that of the unknown word while training."""
        if not self.training or self.word_dropout == 0:
            return vectors
        dropped = torch.rand(vectors.shape[:2], device=vectors.device) < self.word_dropout
        unknown = self.words(torch.tensor([UNKNOWN], device=vectors.device))
        return torch.where(dropped[:, :, None], unknown, vectors)


def _reversal(lengths: Tensor, time: int) -> Tensor:
    """For every position the one it swaps with when the window is reversed; padding stays: int64, (batch, time)."""
    position = torch.arange(time, device=lengths.device)[None, :]
    mirrored = lengths[:, None] - 1 - position
    return torch.where(mirrored >= 0, mirrored, position)


def loss_of(logits: Tensor, batch: TorchBatch) -> Tensor:
    """Cross-entropy at every real token, summed and averaged over real tokens only.

    Args:
        logits: float32, (batch, time, outputs).
        batch: The windows with their gold tags.

    Returns:
        A scalar: binary cross-entropy of "is in a mention" for one output, of the gold tag for more, or of the soft
        labels where there are any.

    Raises:
        ValueError: If the batch has no gold tags.
    """
    if batch.gold is None:
        raise ValueError("a loss needs gold tags")
    mask = batch.mask
    if logits.shape[2] == 1:
        return nn.functional.binary_cross_entropy_with_logits(logits[:, :, 0][mask], (batch.gold[mask] > 0).float())
    return nn.functional.cross_entropy(logits[mask], (batch.gold if batch.soft is None else batch.soft)[mask])

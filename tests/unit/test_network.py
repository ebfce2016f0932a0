from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from nertag.config import Activation, Cell, ModelConfig
from nertag.features import PADDING, UNKNOWN, FormTable, Vocabulary
from nertag.network import (
    CharacterConvolution,
    FrozenEmbedding,
    Network,
    RecurrentLayer,
    SharedDropout,
    StepByStep,
    TorchBatch,
    loss_of,
)
from tests.tiny import TRAINING, batch_of, sentences, tiny_config, tiny_network, vocabulary_of

CORPUS = sentences(TRAINING)
VOCABULARY = vocabulary_of(CORPUS)


def kernel_of(cell: Cell, activation: Activation, size: int, hidden: int, *, both: bool = False) -> nn.RNNBase:
    """Make torch's own kernel."""
    if cell == "rnn":
        return nn.RNN(size, hidden, nonlinearity=activation, batch_first=True, bidirectional=both)
    return (nn.LSTM if cell == "lstm" else nn.GRU)(size, hidden, batch_first=True, bidirectional=both)


def empty_batch(lengths: list[int], gold: list[list[int]] | None = None) -> TorchBatch:
    """Make a batch of which only lengths and gold tags matter."""
    nothing = torch.zeros(1, dtype=torch.int64)
    forms = torch.zeros(len(lengths), max(lengths), dtype=torch.int64)
    return TorchBatch(
        nothing, nothing[None], nothing, forms, torch.tensor(lengths), None if gold is None else torch.tensor(gold)
    )


# --- Cells ------------------------------------------------------------------------------------------------------------

KERNELS: list[tuple[Cell, Activation]] = [("lstm", "tanh"), ("gru", "tanh"), ("rnn", "tanh"), ("rnn", "relu")]


@pytest.mark.parametrize(("cell", "activation"), KERNELS)
def test_step_by_step_equals_the_kernels_of_torch_and_so_do_its_gradients(cell: Cell, activation: Activation) -> None:
    torch.manual_seed(1)
    kernel = kernel_of(cell, activation, 3, 5)
    steps = StepByStep(cell, activation, 3, 5)
    steps.load_state_dict(kernel.state_dict())
    inputs = torch.randn(2, 7, 3)
    expected, found = kernel(inputs)[0], steps(inputs)[0]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    for output in (expected, found):
        (output**2).sum().backward()
    for name, parameter in kernel.named_parameters():
        torch.testing.assert_close(steps.get_parameter(name).grad, parameter.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("cell", "activation"), KERNELS)
def test_a_projected_input_takes_the_place_of_the_input_weights(cell: Cell, activation: Activation) -> None:
    torch.manual_seed(2)
    kernel = kernel_of(cell, activation, 3, 4)
    steps = StepByStep(cell, activation, None, 4)
    weights = kernel.state_dict()
    projection = weights.pop("weight_ih_l0")
    steps.load_state_dict(weights)
    inputs = torch.randn(2, 6, 3)
    torch.testing.assert_close(steps(inputs @ projection.T)[0], kernel(inputs)[0], atol=1e-6, rtol=1e-5)


def test_two_steps_of_a_sigmoid_cell_worked_by_hand() -> None:
    cell = StepByStep("rnn", "sigmoid", 2, 1)
    cell.load_state_dict(
        {
            "weight_ih_l0": torch.tensor([[0.5, -0.25]]),
            "weight_hh_l0": torch.tensor([[2.0]]),
            "bias_ih_l0": torch.tensor([0.1]),
            "bias_hh_l0": torch.tensor([0.2]),
        }
    )
    first, second = cell(torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]))[0][0, :, 0].tolist()
    # h_1 = σ(0.5·1 + 0.1 + 0.2) = σ(0.8); h_2 = σ(-0.25·2 + 0.3 + 2·h_1) = σ(1.179949)
    assert first == pytest.approx(0.689974, abs=1e-6)
    assert second == pytest.approx(0.764941, abs=1e-5)
    assert second == pytest.approx(1 / (1 + math.exp(-(-0.2 + 2 * first))), abs=1e-6)


def layer_of(config: ModelConfig, size: int) -> RecurrentLayer:
    """Make a recurrent layer whose weights, the biases among them, are all random."""
    torch.manual_seed(3)
    layer = RecurrentLayer(config, size)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


def reversed_order(lengths: list[int], time: int) -> Tensor:
    """Write down which position each one swaps with."""
    return torch.tensor([[length - 1 - t if t < length else t for t in range(time)] for length in lengths])


@pytest.mark.parametrize(("cell", "activation"), [*KERNELS, ("rnn", "sigmoid")])
def test_the_initial_state_is_zero_in_both_directions(cell: Cell, activation: Activation) -> None:
    """What the first token read says does not depend on the recurrent weights, and what every other says does."""
    layer = layer_of(tiny_config(cell=cell, activation=activation, hidden_size=4), 3)
    inputs = torch.randn(1, 5, 3)
    order = reversed_order([5], 5)
    before = layer(inputs, order)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "weight_hh" in name:
                parameter.add_(0.5)
    after = layer(inputs, order)
    differs = (before - after).abs().amax(dim=0) > 1e-6
    assert differs[:, :4].any(dim=1).tolist() == [False, True, True, True, True]
    assert differs[:, 4:].any(dim=1).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize(("cell", "activation"), KERNELS)
def test_both_directions_equal_a_bidirectional_kernel_on_packed_windows(cell: Cell, activation: Activation) -> None:
    layer = layer_of(tiny_config(cell=cell, activation=activation, hidden_size=4), 3)
    kernel = kernel_of(cell, activation, 3, 4, both=True)
    names = {f"{n}{suffix}": f"readers.{i}.{n}" for i, suffix in enumerate(("", "_reverse")) for n in NAMES}
    weights = layer.state_dict()
    kernel.load_state_dict({name: weights[ours] for name, ours in names.items()})
    lengths = [6, 1, 4]
    inputs = torch.randn(3, 6, 3)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(kernel(packed)[0], batch_first=True)
    found = layer(inputs, reversed_order(lengths, 6))
    for row, length in enumerate(lengths):
        torch.testing.assert_close(found[row, :length], expected[row, :length], atol=1e-6, rtol=1e-5)


NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


# --- Embeddings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "activation"), KERNELS)
def test_a_row_of_the_matrix_is_its_product_with_a_one_hot_vector(cell: Cell, activation: Activation) -> None:
    """The network with one-hot words gives the logits of torch's kernel fed with one-hot vectors."""
    config = tiny_config(cell=cell, activation=activation, embedding="one-hot", characters=False, shapes=False)
    network = tiny_network(config, VOCABULARY)
    words = network.words
    assert isinstance(words, nn.Embedding)
    width = config.gates * config.hidden_size
    kernel = kernel_of(cell, activation, VOCABULARY.size, config.hidden_size, both=True)
    weights = network.layers.state_dict()
    for number, suffix in enumerate(("", "_reverse")):
        matrix = words.weight[:, number * width : (number + 1) * width].T
        rest = {f"{name}{suffix}": weights[f"0.readers.{number}.{name}"] for name in NAMES[1:]}
        kernel.load_state_dict({f"{NAMES[0]}{suffix}": matrix, **rest}, strict=False)
    batch = batch_of(FormTable(VOCABULARY), [CORPUS[0].words])
    one_hot = nn.functional.one_hot(batch.word_ids[batch.forms, 0], VOCABULARY.size).float()
    expected = network.output(kernel(one_hot)[0])
    torch.testing.assert_close(network(batch), expected, atol=1e-5, rtol=1e-4)


def test_a_frozen_embedding_errs_by_half_a_step_of_its_scale_at_most() -> None:
    torch.manual_seed(4)
    vectors = torch.randn(50, 16) * torch.logspace(-3, 3, 50)[:, None]
    vectors[7] = 0
    embedding = FrozenEmbedding(50, 16)
    embedding.fill(vectors)
    found = embedding(torch.arange(50))
    bound = vectors.abs().amax(dim=1, keepdim=True) / 254
    assert ((found - vectors).abs() <= bound * 1.0001).all()
    assert (found[7] == 0).all()
    assert embedding(torch.tensor([[1, 2, 3], [4, 5, 6]])).shape == (2, 3, 16)
    # A row's largest number is met exactly, so the error is no artefact of a scale that is too large.
    largest = vectors.abs().argmax(dim=1)
    torch.testing.assert_close(found[range(50), largest], vectors[range(50), largest])


def test_frozen_vectors_are_no_parameters_and_tuned_ones_are() -> None:
    frozen = tiny_network(tiny_config(embedding="pretrained"), VOCABULARY)
    tuned = tiny_network(tiny_config(embedding="pretrained", tune_embedding=True), VOCABULARY)
    assert [name for name, _ in frozen.named_parameters() if name.startswith("words")] == []
    assert [name for name, _ in tuned.named_parameters() if name.startswith("words")] == ["words.weight"]


def test_character_padding_changes_nothing_and_the_maximum_is_over_positions() -> None:
    config = tiny_config()
    torch.manual_seed(5)
    module = CharacterConvolution(12, config)
    alone = module(torch.tensor([[3, 4]]))
    padded = module(torch.tensor([[3, 4, PADDING, PADDING, PADDING], [5, 6, 7, 8, 9]]))
    torch.testing.assert_close(padded[:1], alone, atol=1e-6, rtol=1e-5)
    # Worked out at each position: the filter sees the characters around it, zeros past both ends.
    weight, bias = module.convolution.weight, module.convolution.bias
    assert bias is not None
    a, b = module.embedding.weight[3], module.embedding.weight[4]
    at_a = weight[:, :, 1] @ a + weight[:, :, 2] @ b + bias
    at_b = weight[:, :, 0] @ a + weight[:, :, 1] @ b + bias
    torch.testing.assert_close(alone[0], torch.relu(torch.maximum(at_a, at_b)), atol=1e-6, rtol=1e-5)


def test_a_form_of_no_characters_has_the_zero_vector() -> None:
    module = CharacterConvolution(12, tiny_config())
    assert (module(torch.tensor([[PADDING, PADDING]])) == 0).all()


# --- Dropout ----------------------------------------------------------------------------------------------------------


def test_word_dropout_replaces_words_in_a_copy_and_only_while_training() -> None:
    network = tiny_network(tiny_config(), VOCABULARY, word_dropout=0.3)
    batch = batch_of(FormTable(VOCABULARY), [sentence.words for sentence in CORPUS])
    copies = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    copies = {name: value.clone() for name, value in copies.items() if value is not None}
    quiet = network(batch)
    network.train()
    noisy = network(batch)
    assert not torch.equal(noisy, quiet)
    for name, value in copies.items():
        assert torch.equal(getattr(batch, name), value), name
    network.eval()
    assert torch.equal(network(batch), quiet)


def test_word_dropout_drops_its_share_and_makes_words_unknown() -> None:
    network = Network(tiny_config(), VOCABULARY.size, 10, 8, word_dropout=0.3).train()
    torch.manual_seed(6)
    vectors = torch.full((100, 100, 8), 5.0)
    dropped = network._drop_words(vectors)
    assert (vectors == 5).all()
    gone = (dropped == network.words(torch.tensor(UNKNOWN))).all(dim=2)
    assert (dropped[~gone] == 5).all()
    assert gone.float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_dropout_drops_the_same_features_at_every_step_and_keeps_the_mean() -> None:
    torch.manual_seed(7)
    dropout = SharedDropout(0.25).train()
    values = dropout(torch.ones(200, 4, 50))
    assert (values == values[:, :1]).all()
    assert sorted(set(values.flatten().tolist())) == pytest.approx([0, 4 / 3])
    assert (values == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert not torch.equal(values[0], values[1])
    assert (dropout.eval()(torch.ones(2, 3, 4)) == 1).all()


# --- Initialisation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("embedding", ["learned", "one-hot"])
@pytest.mark.parametrize(("cell", "activation"), [*KERNELS, ("rnn", "sigmoid")])
def test_recurrent_weights_are_orthogonal_per_gate_and_the_forget_bias_is_one(
    cell: Cell, activation: Activation, embedding: str
) -> None:
    config = tiny_config(cell=cell, activation=activation, layers=2, embedding=embedding)
    network = Network(config, VOCABULARY.size, 10, 8)
    hidden = config.hidden_size
    weights = dict(network.layers.named_parameters())
    recurrent = [value for name, value in weights.items() if "weight_hh" in name]
    assert len(recurrent) == 4
    for weight in recurrent:
        gates = weight.split(hidden)  # type: ignore[no-untyped-call]
        assert len(gates) == config.gates
        for gate in gates:
            torch.testing.assert_close(gate @ gate.T, torch.eye(hidden), atol=1e-5, rtol=0)
    for name in [name for name in weights if "bias_ih" in name]:
        bias = weights[name] + weights[name.replace("bias_ih", "bias_hh")]
        expected = torch.zeros(config.gates * hidden)
        if cell == "lstm":
            expected[hidden : 2 * hidden] = 1
        assert torch.equal(bias, expected)


def test_padding_has_the_zero_vector() -> None:
    network = Network(tiny_config(), VOCABULARY.size, 10, 8)
    assert isinstance(network.words, nn.Embedding) and network.shapes is not None
    assert (network.words.weight[PADDING] == 0).all() and (network.shapes.weight[PADDING] == 0).all()
    assert (network.words.weight[UNKNOWN] != 0).any()


# --- Loss -------------------------------------------------------------------------------------------------------------


def test_the_loss_is_averaged_over_real_tokens_only() -> None:
    logits = torch.zeros(2, 2, 3)
    logits[0, 0] = torch.tensor([math.log(2), 0, 0])  # O with 2/4
    logits[0, 1] = torch.tensor([0, 0, math.log(6)])  # I-PER with 6/8
    logits[1, 1] = torch.tensor([0, 1000.0, 0])  # padding
    batch = empty_batch([2, 1], [[0, 2], [1, 0]])
    expected = (-math.log(1 / 2) - math.log(3 / 4) - math.log(1 / 3)) / 3
    assert loss_of(logits, batch).item() == pytest.approx(expected, abs=1e-6)


def test_the_binary_loss_asks_whether_a_token_is_in_a_mention() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [math.log(3), 1000.0]])[:, :, None]
    batch = empty_batch([2, 1], [[1, 2], [0, 0]])
    expected = (-math.log(1 / 2) - math.log(3 / 4) - math.log(1 / 4)) / 3
    assert loss_of(logits, batch).item() == pytest.approx(expected, abs=1e-6)


def test_a_loss_needs_gold_tags() -> None:
    with pytest.raises(ValueError, match=r"^a loss needs gold tags$"):
        loss_of(torch.zeros(1, 1, 3), empty_batch([1]))


# --- The whole --------------------------------------------------------------------------------------------------------


def test_the_mask_is_true_on_real_tokens() -> None:
    assert empty_batch([3, 1]).mask.tolist() == [[True, True, True], [True, False, False]]


@pytest.mark.parametrize(
    ("output", "labels", "outputs"), [("iob2", ("A", "B"), 5), ("iob2", ("A",), 3), ("binary", ("A",), 1)]
)
def test_there_is_a_logit_for_every_tag_or_just_one(output: str, labels: tuple[str, ...], outputs: int) -> None:
    network = tiny_network(tiny_config(output=output, labels=labels), VOCABULARY)
    batch = batch_of(FormTable(VOCABULARY), [CORPUS[0].words, CORPUS[1].words])
    assert network(batch).shape == (2, batch.forms.shape[1], outputs)


@pytest.mark.parametrize("part", ["words", "characters", "shapes"])
def test_each_feature_reaches_the_logits(part: str) -> None:
    network = tiny_network(tiny_config(), VOCABULARY)
    batch = batch_of(FormTable(VOCABULARY), [CORPUS[0].words])
    before = network(batch)
    module = network.get_submodule(part)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    assert not torch.allclose(network(batch), before)


def test_a_forward_network_does_not_look_ahead_and_a_bidirectional_one_does() -> None:
    table = FormTable(Vocabulary(["a", "b", "c"], "abc"))
    batches = [batch_of(table, [words]) for words in (["a", "b", "a"], ["a", "b", "c"])]
    for direction, looks_ahead in (("forward", False), ("bidirectional", True)):
        network = tiny_network(tiny_config(direction=direction), table.vocabulary)
        first, second = (network(batch)[0, :2] for batch in batches)
        assert torch.allclose(first, second, atol=1e-6) is not looks_ahead

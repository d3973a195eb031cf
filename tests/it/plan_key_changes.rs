//! Every key of the schema with another value, and what that changes.

/// Lines of a spec that choose a variant, by the name of the context.
pub const CONTEXTS: &[(&str, &str)] = &[
    ("-", ""),
    (
        "text",
        "dataset = { source = \"text\", train = [\"one/a.txt\"], validation = [\"one/b.txt\"], \
         test = [\"one/c.txt\"] }",
    ),
    (
        "parquet",
        "dataset = { source = \"parquet\", train = [\"one/a.txt\"], validation = [\"one/b.txt\"], \
         test = [\"one/c.txt\"] }",
    ),
    (
        "jsonl",
        "dataset = { source = \"jsonl\", train = [\"one/a.txt\"], validation = [\"one/b.txt\"], \
         test = [\"one/c.txt\"] }",
    ),
    (
        "text cut",
        "dataset = { source = \"text\", train = [\"one/a.txt\"], validation = \"5%\", \
         test = \"5%\", cut = { lines = 200, gap = 10 } }",
    ),
    (
        "parquet cut",
        "dataset = { source = \"parquet\", train = [\"one/a.txt\"], validation = \"5%\", \
         test = \"5%\", cut = { lines = 200, gap = 10 } }",
    ),
    (
        "jsonl cut",
        "dataset = { source = \"jsonl\", train = [\"one/a.txt\"], validation = \"5%\", \
         test = \"5%\", cut = { lines = 200, gap = 10 } }",
    ),
    (
        "hub cut",
        "dataset = { source = \"hub\", repo = \"a/b\", validation = \"5%\", \
         cut = { lines = 200, gap = 10 } }",
    ),
    ("hub", r#"dataset = { source = "hub", repo = "a/b" }"#),
    (
        "tokenizer dir",
        r#"tokenizer = { source = "dir", path = "one" }"#,
    ),
    (
        "tokenizer hub",
        r#"tokenizer = { source = "hub", repo = "a/b" }"#,
    ),
    (
        "teacher dir",
        r#"teacher = { source = "dir", path = "one" }"#,
    ),
    (
        "teacher hub",
        r#"teacher = { source = "hub", repo = "a/b" }"#,
    ),
    (
        "task of grammar",
        r#"evaluate.tasks.own = { kind = "grammar", items = 5 }"#,
    ),
    (
        "task of pairs",
        r#"evaluate.tasks.own = { kind = "pairs", files = ["one/a.txt"] }"#,
    ),
    (
        "task of pairs hub",
        r#"evaluate.tasks.own = { kind = "pairs", repo = "a/b" }"#,
    ),
    (
        "task of cloze",
        r#"evaluate.tasks.own = { kind = "cloze", files = ["one/a.txt"] }"#,
    ),
    (
        "task of cloze hub",
        r#"evaluate.tasks.own = { kind = "cloze", repo = "a/b" }"#,
    ),
    ("teacher last", r#"teacher.train.keep = "last""#),
    ("from teacher", r#"student.init = "teacher""#),
    (
        "from dir",
        r#"student = { init = "dir", init_dir = "one" }"#,
    ),
    (
        "pairs",
        r#"match = { strategy = "pairs", pairs = [[1, 2], [3, "final"]] }"#,
    ),
    ("random", r#"match.strategy = "random""#),
    ("js", r#"loss.kl.kind = "logits.js""#),
    ("tv", r#"loss.kl.kind = "logits.tv""#),
    ("logits mse", r#"loss.kl.kind = "logits.mse""#),
    ("sorted", r#"loss.kl.kind = "logits.wasserstein""#),
    ("lens", r#"loss.hidden.kind = "logits.lens""#),
    ("map uniform", r#"match.strategy = "uniform""#),
    ("map first", r#"match.strategy = "first""#),
    ("map last", r#"match.strategy = "last""#),
    ("map skip", r#"match.strategy = "skip""#),
    ("map final", r#"match.strategy = "final""#),
    ("map all-to-one", r#"match.strategy = "all-to-one""#),
    ("map reverse", r#"match.strategy = "reverse""#),
    ("map shuffled", r#"match.strategy = "shuffled""#),
    ("map attention", r#"match.strategy = "attention""#),
    ("map combine", r#"match.strategy = "combine""#),
    (
        "map emd",
        "match.strategy = \"emd\"\nloss.hidden.kind = \"hidden.mse\"",
    ),
    ("mse", r#"loss.hidden.kind = "hidden.mse""#),
    ("cosine", r#"loss.hidden.kind = "hidden.cosine""#),
    (
        "sliced-wasserstein",
        r#"loss.hidden.kind = "hidden.sliced-wasserstein""#,
    ),
    ("energy", r#"loss.hidden.kind = "hidden.energy""#),
    ("mmd", r#"loss.hidden.kind = "hidden.mmd""#),
    ("gaussian-w2", r#"loss.hidden.kind = "hidden.gaussian-w2""#),
    ("sinkhorn", r#"loss.hidden.kind = "hidden.sinkhorn""#),
    ("cka", r#"loss.hidden.kind = "hidden.cka""#),
    ("attention kl", r#"loss.hidden.kind = "attention.kl""#),
    ("clip", r#"loss.hidden.critic.lipschitz = "clip""#),
    (
        "card",
        "train.device = \"cuda:0\"\nloss.hidden.kind = \"hidden.mse\"",
    ),
    ("best", r#"train.keep = "best""#),
    (
        "constant",
        r#"train.lr = { decay = "constant", floor = "100%" }"#,
    ),
    ("arms", r#"grid.arm = ["a", "b"]"#),
    ("rates", "grid.train.lr.peak = [1e-3, 2e-3]"),
];

/// Every key: its place in the schema, the context that has it, another value (or the context,
/// marked by @, whose line has it), and what that changes.
pub const CHANGES: &str = r#"
seed | - | seed=1 | run
dataset.source | - | @text | run
dataset.synthetic.seed | - | dataset.seed=1 | run
dataset.synthetic.train_words | - | dataset.train_words=5000 | run
dataset.synthetic.validation_words | - | dataset.validation_words=5000 | run
dataset.synthetic.test_words | - | dataset.test_words=5000 | run
dataset.synthetic.train_tokens | - | dataset.train_tokens=5000 | run
dataset.text.train | text | dataset.train=["two/a.txt"] | run
dataset.text.validation | text | dataset.validation=["two/a.txt"] | run
dataset.text.test | text | dataset.test=["two/a.txt"] | run
dataset.text.cut.lines | text cut | dataset.cut.lines=100 | run
dataset.text.cut.gap | text cut | dataset.cut.gap=20 | run
dataset.text.documents | text | dataset.documents=articles | run
dataset.text.detokenize | text | dataset.detokenize=wikitext | run
dataset.text.train_tokens | text | dataset.train_tokens=5000 | run
dataset.parquet.train | parquet | dataset.train=["two/a.txt"] | run
dataset.parquet.validation | parquet | dataset.validation=["two/a.txt"] | run
dataset.parquet.test | parquet | dataset.test=["two/a.txt"] | run
dataset.parquet.column | parquet | dataset.column=body | run
dataset.parquet.rows | parquet | dataset.rows=lines | run
dataset.parquet.cut.lines | parquet cut | dataset.cut.lines=100 | run
dataset.parquet.cut.gap | parquet cut | dataset.cut.gap=20 | run
dataset.parquet.detokenize | parquet | dataset.detokenize=wikitext | run
dataset.parquet.train_tokens | parquet | dataset.train_tokens=5000 | run
dataset.jsonl.train | jsonl | dataset.train=["two/a.txt"] | run
dataset.jsonl.validation | jsonl | dataset.validation=["two/a.txt"] | run
dataset.jsonl.test | jsonl | dataset.test=["two/a.txt"] | run
dataset.jsonl.column | jsonl | dataset.column=body | run
dataset.jsonl.rows | jsonl | dataset.rows=lines | run
dataset.jsonl.cut.lines | jsonl cut | dataset.cut.lines=100 | run
dataset.jsonl.cut.gap | jsonl cut | dataset.cut.gap=20 | run
dataset.jsonl.detokenize | jsonl | dataset.detokenize=wikitext | run
dataset.jsonl.train_tokens | jsonl | dataset.train_tokens=5000 | run
dataset.hub.repo | hub | dataset.repo=a/c | run
dataset.hub.config | hub | dataset.config=small | run
dataset.hub.revision | hub | dataset.revision=old | run
dataset.hub.train | hub | dataset.train=all | run
dataset.hub.validation | hub | dataset.validation="0.5%" | run
dataset.hub.test | hub | dataset.test="0.5%" | run
dataset.hub.cut.lines | hub cut | dataset.cut.lines=100 | run
dataset.hub.cut.gap | hub cut | dataset.cut.gap=20 | run
dataset.hub.column | hub | dataset.column=body | run
dataset.hub.rows | hub | dataset.rows=lines | run
dataset.hub.detokenize | hub | dataset.detokenize=wikitext | run
dataset.hub.train_tokens | hub | dataset.train_tokens=5000 | run
tokenizer.source | - | tokenizer={ source = "dir", path = "one" } | run
tokenizer.train.vocab_size | - | tokenizer.vocab_size=4096 | run
tokenizer.dir.path | tokenizer dir | tokenizer.path=two | run
tokenizer.hub.repo | tokenizer hub | tokenizer.repo=a/c | run
tokenizer.hub.revision | tokenizer hub | tokenizer.revision=old | run
teacher.source | - | teacher={ source = "dir", path = "one" } | run
teacher.train.layers | - | teacher.layers=8 | run
teacher.train.width | - | teacher.width=192 | run
teacher.train.heads | - | teacher.heads=4 | run
teacher.train.seed | - | teacher.seed=1 | run
teacher.train.train.steps | - | teacher.train.steps=7 | run
teacher.train.train.batch | - | teacher.train.batch=7 | run
teacher.train.train.context | - | teacher.train.context=256 | run
teacher.train.train.accumulate | - | teacher.train.accumulate=7 | run
teacher.train.train.shuffle | - | teacher.train.shuffle=false | run
teacher.train.train.lr.peak | - | teacher.train.lr.peak=0.5 | run
teacher.train.train.lr.warmup | - | teacher.train.lr.warmup=7 | run
teacher.train.train.lr.decay | - | teacher.train.lr.decay=linear | run
teacher.train.train.lr.floor | - | teacher.train.lr.floor="7%" | run
teacher.train.train.betas | - | teacher.train.betas=[0.8, 0.9] | run
teacher.train.train.eps | - | teacher.train.eps=1e-6 | run
teacher.train.train.weight_decay | - | teacher.train.weight_decay=0.3 | run
teacher.train.train.clip | - | teacher.train.clip=0.5 | run
teacher.train.train.precision | - | teacher.train.precision=bf16 | run
teacher.train.precision | - | teacher.precision=bf16 | run
teacher.train.train.device | card | teacher.train.device="cuda:0" | nothing
teacher.train.train.keep | - | teacher.train.keep=last | run
teacher.train.train.checkpoint_every | - | teacher.train.checkpoint_every=7 | nothing
teacher.train.train.evaluate_every | - | teacher.train.evaluate_every=7 | run
teacher.train.train.evaluate_every | teacher last | teacher.train.evaluate_every=7 | nothing
teacher.train.train.tensorboard | - | teacher.train.tensorboard=true | nothing
teacher.dir.precision | teacher dir | teacher.precision=bf16 | run
teacher.hub.precision | teacher hub | teacher.precision=bf16 | run
teacher.dir.path | teacher dir | teacher.path=two | run
teacher.hub.repo | teacher hub | teacher.repo=a/c | run
teacher.hub.revision | teacher hub | teacher.revision=old | run
student.layers | - | student.layers=2 | run
student.width | - | student.width=48 | run
student.heads | - | student.heads=3 | run
student.init | - | student.init=teacher | run
student.init_blocks | from teacher | student.init_blocks=first | run
student.init_dir | from dir | student.init_dir=two | run
match.strategy | - | match.strategy=last | run
match.uniform.tokens | map uniform | match.tokens=shuffled | run
match.first.tokens | map first | match.tokens=shuffled | run
match.last.tokens | map last | match.tokens=shuffled | run
match.skip.tokens | map skip | match.tokens=shuffled | run
match.final.tokens | map final | match.tokens=shuffled | run
match.all-to-one.tokens | map all-to-one | match.tokens=shuffled | run
match.reverse.tokens | map reverse | match.tokens=shuffled | run
match.shuffled.tokens | map shuffled | match.tokens=shuffled | run
match.attention.tokens | map attention | match.tokens=shuffled | run
match.combine.tokens | map combine | match.tokens=shuffled | run
match.emd.tokens | map emd | match.tokens=shuffled | run
match.emd.weights | map emd | match.weights=uniform | run
match.emd.weights | map emd | match.weights=learned | nothing
match.pairs.tokens | pairs | match.tokens=shuffled | run
match.random.tokens | random | match.tokens=shuffled | run
match.pairs.pairs | pairs | match.pairs=[[1, 2], [3, 6]] | run
match.random.redraw | random | match.redraw=7 | run
loss.kind | - | loss.hidden.kind=hidden.mse | run
loss.lm.weight | - | loss.lm.weight=0.25 | run
loss.lm.enabled | - | loss.lm.enabled=false | run
loss.logits.kl.weight | - | loss.kl.weight={ shape="linear", from=0.5, to=1.0, over="20%" } | run
loss.logits.kl.temperature | - | loss.kl.temperature=3.0 | run
loss.logits.kl.direction | - | loss.kl.direction=reverse | run
loss.logits.kl.skew | - | loss.kl.skew=0.1 | run
loss.logits.kl.skew | - | loss.kl.skew=0.0 | nothing
loss.logits.kl.enabled | - | loss.kl.enabled=true | nothing
loss.logits.js.weight | js | loss.kl.weight=0.25 | run
loss.logits.js.temperature | js | loss.kl.temperature=3.0 | run
loss.logits.js.enabled | js | loss.kl.enabled=true | nothing
loss.logits.tv.weight | tv | loss.kl.weight=0.25 | run
loss.logits.tv.temperature | tv | loss.kl.temperature=3.0 | run
loss.logits.tv.enabled | tv | loss.kl.enabled=true | nothing
loss.logits.wasserstein.weight | sorted | loss.kl.weight=0.25 | run
loss.logits.wasserstein.temperature | sorted | loss.kl.temperature=3.0 | run
loss.logits.wasserstein.enabled | sorted | loss.kl.enabled=true | nothing
loss.logits.mse.weight | logits mse | loss.kl.weight=0.25 | run
loss.logits.mse.enabled | logits mse | loss.kl.enabled=true | nothing
loss.logits.lens.weight | lens | loss.hidden.weight=0.25 | run
loss.logits.lens.temperature | lens | loss.hidden.temperature=3.0 | run
loss.logits.lens.enabled | lens | loss.hidden.enabled=false | run
loss.hidden.mse.weight | mse | loss.hidden.weight=0.25 | run
loss.hidden.mse.states | mse | loss.hidden.states=layernorm | run
loss.hidden.mse.normalize | mse | loss.hidden.normalize=true | run
loss.hidden.mse.enabled | mse | loss.hidden.enabled=false | run
loss.hidden.cosine.weight | cosine | loss.hidden.weight=0.25 | run
loss.hidden.cosine.states | cosine | loss.hidden.states=layernorm | run
loss.hidden.cosine.enabled | cosine | loss.hidden.enabled=false | run
loss.hidden.wasserstein.weight | - | loss.hidden.weight=0.25 | run
loss.hidden.wasserstein.states | - | loss.hidden.states=layernorm | run
loss.hidden.wasserstein.enabled | - | loss.hidden.enabled=false | run
loss.hidden.wasserstein.critic.width | - | loss.hidden.critic.width=7 | run
loss.hidden.wasserstein.critic.depth | - | loss.hidden.critic.depth=7 | run
loss.hidden.wasserstein.critic.steps | - | loss.hidden.critic.steps=7 | run
loss.hidden.wasserstein.critic.slope | - | loss.hidden.critic.slope=0.7 | run
loss.hidden.wasserstein.critic.lipschitz | - | loss.hidden.critic.lipschitz=spectral | run
loss.hidden.wasserstein.critic.penalty | - | loss.hidden.critic.penalty=7.0 | run
loss.hidden.wasserstein.critic.penalty | - | loss.hidden.critic.penalty=10.0 | nothing
loss.hidden.wasserstein.critic.clip | clip | loss.hidden.critic.clip=0.7 | run
loss.hidden.wasserstein.critic.lr | - | loss.hidden.critic.lr=0.7 | run
loss.hidden.wasserstein.critic.betas | - | loss.hidden.critic.betas=[0.5, 0.9] | run
loss.hidden.wasserstein.critic.warmup | - | loss.hidden.critic.warmup=7 | run
loss.hidden.sliced-wasserstein.weight | sliced-wasserstein | loss.hidden.weight=0.25 | run
loss.hidden.sliced-wasserstein.states | sliced-wasserstein | loss.hidden.states=layernorm | run
loss.hidden.sliced-wasserstein.enabled | sliced-wasserstein | loss.hidden.enabled=false | run
loss.hidden.sliced-wasserstein.directions | sliced-wasserstein | loss.hidden.directions=7 | run
loss.hidden.energy.weight | energy | loss.hidden.weight=0.25 | run
loss.hidden.energy.states | energy | loss.hidden.states=layernorm | run
loss.hidden.energy.enabled | energy | loss.hidden.enabled=false | run
loss.hidden.energy.tokens | energy | loss.hidden.tokens=7 | run
loss.hidden.mmd.weight | mmd | loss.hidden.weight=0.25 | run
loss.hidden.mmd.states | mmd | loss.hidden.states=layernorm | run
loss.hidden.mmd.enabled | mmd | loss.hidden.enabled=false | run
loss.hidden.mmd.tokens | mmd | loss.hidden.tokens=7 | run
loss.hidden.gaussian-w2.weight | gaussian-w2 | loss.hidden.weight=0.25 | run
loss.hidden.gaussian-w2.states | gaussian-w2 | loss.hidden.states=layernorm | run
loss.hidden.gaussian-w2.enabled | gaussian-w2 | loss.hidden.enabled=false | run
loss.hidden.sinkhorn.weight | sinkhorn | loss.hidden.weight=0.25 | run
loss.hidden.sinkhorn.states | sinkhorn | loss.hidden.states=layernorm | run
loss.hidden.sinkhorn.enabled | sinkhorn | loss.hidden.enabled=false | run
loss.hidden.sinkhorn.tokens | sinkhorn | loss.hidden.tokens=7 | run
loss.hidden.sinkhorn.epsilon | sinkhorn | loss.hidden.epsilon=0.5 | run
loss.hidden.sinkhorn.iterations | sinkhorn | loss.hidden.iterations=7 | run
loss.hidden.cka.weight | cka | loss.hidden.weight=0.25 | run
loss.hidden.cka.states | cka | loss.hidden.states=layernorm | run
loss.hidden.cka.enabled | cka | loss.hidden.enabled=false | run
loss.attention.kl.weight | attention kl | loss.hidden.weight=0.25 | run
loss.attention.kl.enabled | attention kl | loss.hidden.enabled=false | run
balance.mode | - | balance.mode=none | run
balance.gradient.batches | - | balance.batches=7 | run
balance.gradient.every | - | balance.every=7 | run
balance.gradient.reference | - | balance.reference=lm | run
train.steps | - | train.steps=7 | run
train.batch | - | train.batch=7 | run
train.context | - | train.context=64 | run
train.accumulate | - | train.accumulate=7 | run
train.shuffle | - | train.shuffle=false | run
train.lr.peak | - | train.lr.peak=0.5 | run
train.lr.warmup | - | train.lr.warmup=7 | run
train.lr.decay | - | train.lr.decay=linear | run
train.lr.floor | - | train.lr.floor="7%" | run
train.lr.floor | constant | train.lr.floor="100%" | nothing
train.betas | - | train.betas=[0.8, 0.9] | run
train.eps | - | train.eps=1e-6 | run
train.weight_decay | - | train.weight_decay=0.3 | run
train.clip | - | train.clip=0.5 | run
train.precision | - | train.precision=bf16 | run
train.device | mse | train.device="cuda:0" | run
train.keep | - | train.keep=best | run
train.checkpoint_every | - | train.checkpoint_every=7 | nothing
train.evaluate_every | - | train.evaluate_every=7 | nothing
train.evaluate_every | best | train.evaluate_every=7 | run
train.budget | - | train.budget=1e15 | run
train.gradients_every | - | train.gradients_every=7 | nothing
train.tensorboard | - | train.tensorboard=true | nothing
evaluate.context | - | evaluate={ context = 64, stride = 64 } | evaluation
evaluate.stride | - | evaluate.stride=64 | evaluation
evaluate.samples.prompts | - | evaluate.samples.prompts=7 | evaluation
evaluate.samples.tokens | - | evaluate.samples.tokens=7 | evaluation
evaluate.probe_tokens | - | evaluate.probe_tokens=700 | evaluation
evaluate.directions | - | evaluate.directions=7 | evaluation
evaluate.embed_tokens | - | evaluate.embed_tokens=7 | evaluation
evaluate.treatment_tokens | - | evaluate.treatment_tokens=7 | evaluation
evaluate.tasks.kind | - | evaluate.tasks.own={ kind = "grammar", items = 7 } | evaluation
evaluate.tasks.grammar.items | task of grammar | evaluate.tasks.own.items=7 | evaluation
evaluate.tasks.pairs.files | task of pairs | evaluate.tasks.own.files=["two/a.txt"] | evaluation
evaluate.tasks.pairs.repo | task of pairs hub | evaluate.tasks.own.repo=c/d | evaluation
evaluate.tasks.pairs.revision | task of pairs hub | evaluate.tasks.own.revision=old | evaluation
evaluate.tasks.pairs.revision | task of pairs hub | evaluate.tasks.own.revision=main | nothing
evaluate.tasks.pairs.configs | task of pairs hub | evaluate.tasks.own.configs=["verbs"] | evaluation
evaluate.tasks.pairs.split | task of pairs hub | evaluate.tasks.own.split=test | evaluation
evaluate.tasks.pairs.split | task of pairs hub | evaluate.tasks.own.split=train | nothing
evaluate.tasks.cloze.files | task of cloze | evaluate.tasks.own.files=["two/a.txt"] | evaluation
evaluate.tasks.cloze.repo | task of cloze hub | evaluate.tasks.own.repo=c/d | evaluation
evaluate.tasks.cloze.revision | task of cloze hub | evaluate.tasks.own.revision=old | evaluation
evaluate.tasks.cloze.configs | task of cloze hub | evaluate.tasks.own.configs=["en"] | evaluation
evaluate.tasks.cloze.split | task of cloze hub | evaluate.tasks.own.split=train | evaluation
evaluate.tasks.cloze.split | task of cloze hub | evaluate.tasks.own.split=test | nothing
pipeline.name | - | pipeline.name=another | nothing
pipeline.description | - | pipeline.description=why | nothing
pipeline.note | - | pipeline.note=a first look | nothing
report.template | - | report.template=mine.md.j2 | nothing
report.baseline | arms | report.baseline.arm=b | nothing
report.margin | - | report.margin=0.1 | nothing
report.alpha | - | report.alpha=0.1 | nothing
report.primary | arms | report.primary.arm=b | nothing
report.question | arms | report.question=arm | nothing
report.sensitivity | rates | report.sensitivity=["train.lr.peak"] | nothing
expect.perplexity | - | expect.perplexity=[{ at_most = 70.0 }] | nothing
expect.better | arms | expect.better=[{ arm = "a", than = "b" }] | nothing
arms | - | arms.unused.train.steps=7 | nothing
grid | - | grid.seed=[0, 1] | nothing
select | - | select={ seed = [50], train.steps = [7, 9] } | run
"#;

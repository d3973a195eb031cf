//! Keys as transformers, its trainer, nanoGPT and others call them: what they are here.

/// What a name is called here.
pub(super) enum NameHere {
    /// A key of the same table.
    Key(&'static str),
    /// What to write, where it is not a key of the same table or its value is another.
    Instead(&'static str),
}

use NameHere::{Instead, Key};

/// What `key` of the table `around` (dotted, empty at the top) is called here.
pub(super) fn name_here(key: &str, around: &str) -> Option<NameHere> {
    let table = around.rsplit('.').next().unwrap_or(around);
    let key = key.to_ascii_lowercase().replace('-', "_");
    let key = key.as_str();
    match table {
        "student" | "teacher" => of_a_model(key),
        "train" => of_a_training(key),
        "" => match key {
            "model" => Some(Instead("write [student] and [teacher]")),
            "training" | "trainer" | "training_arguments" => Some(Instead("write [train]")),
            "data" | "datasets" => Some(Instead("write [dataset]")),
            "losses" => Some(Instead("write tables such as [loss.kl]")),
            _ => None,
        },
        "tokenizer" => match key {
            "n_vocab" | "vocabulary_size" => Some(Key("vocab_size")),
            _ => None,
        },
        _ if around.starts_with("loss.") => match key {
            "alpha" | "coefficient" | "lambda" | "factor" | "scale" => Some(Key("weight")),
            "tau" | "t" | "temp" => Some(Key("temperature")),
            _ => None,
        },
        _ => None,
    }
}

/// Names of a model's shape.
fn of_a_model(key: &str) -> Option<NameHere> {
    Some(match key {
        "n_layer" | "n_layers" | "num_layers" | "num_hidden_layers" | "depth" => Key("layers"),
        "n_embd" | "n_embed" | "embed_dim" | "hidden_size" | "d_model" | "dim" => Key("width"),
        "n_head" | "n_heads" | "num_heads" | "num_attention_heads" => Key("heads"),
        "vocab_size" | "n_vocab" => {
            Instead("the vocabulary is the tokenizer's: write tokenizer.vocab_size")
        }
        "n_positions" | "n_ctx" | "block_size" | "max_position_embeddings" => Instead(
            "a model has as many positions as its training needs: write context in train, or \
                 in teacher.train for the teacher",
        ),
        _ => return None,
    })
}

/// Names of how a model is trained.
fn of_a_training(key: &str) -> Option<NameHere> {
    Some(match key {
        "batch_size" | "per_device_train_batch_size" | "train_batch_size" => Key("batch"),
        "block_size" | "seq_len" | "seq_length" | "max_length" | "max_seq_length"
        | "sequence_length" | "n_ctx" => Key("context"),
        "gradient_accumulation_steps" | "grad_accum" | "accumulation" => Key("accumulate"),
        "max_steps" | "num_steps" | "max_iters" | "iterations" | "iters" => Key("steps"),
        "epochs" | "epoch" | "num_epochs" | "num_train_epochs" => Instead(
            "a training is as long as its steps: write steps, a step reading batch × \
                 accumulate × context tokens",
        ),
        "learning_rate" => Instead("write lr = { peak = … }"),
        "warmup" | "warmup_steps" | "warmup_iters" => {
            Instead("write lr.warmup, in steps or as a share such as \"5%\"")
        }
        "warmup_ratio" => Instead("write lr.warmup as a share such as \"5%\""),
        "lr_scheduler_type" | "scheduler" => {
            Instead("write lr.decay = \"cosine\", \"linear\" or \"constant\"")
        }
        "min_lr" => Instead("write lr.floor, a share of the peak such as \"10%\""),
        "max_grad_norm" | "grad_clip" | "gradient_clip" | "gradient_clip_val" => Key("clip"),
        "adam_beta1" | "adam_beta2" | "beta1" | "beta2" => Instead("write betas = [0.9, 0.999]"),
        "adam_epsilon" | "epsilon" => Key("eps"),
        "bf16" | "fp16" | "dtype" | "torch_dtype" => {
            Instead("write precision = \"f32\", \"bf16\" or \"bf16-or-f32\"")
        }
        "tf32" => Instead("write precision = \"tf32\" or \"tf32-or-f32\""),
        "save_steps" | "save_every" => Key("checkpoint_every"),
        "eval_steps" | "eval_interval" | "eval_every" => Key("evaluate_every"),
        "optimizer" | "optim" => Instead("the optimizer is AdamW: leave it out"),
        _ => return None,
    })
}

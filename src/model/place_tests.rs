//! Tests of `place.rs`: what is said of folders that are no models.

use super::*;

/// A folder with files of these names, each an empty JSON object.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "{}").unwrap();
    }
    folder
}

fn told(folder: &tempfile::TempDir, result: Result<impl std::fmt::Debug>) -> String {
    let error = format!("{:#}", result.unwrap_err());
    error.replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn folders_without_safetensors_say_what_to_do() {
    let pickled = folder(&["config.json", "pytorch_model.bin"]);
    assert_eq!(
        told(&pickled, weight_files(pickled.path())),
        "FOLDER has no model.safetensors, only pytorch_model.bin, which is a pickle: reading one \
         can run any code that is in it; write safetensors once with transformers, \
         GPT2LMHeadModel.from_pretrained(\"FOLDER\").save_pretrained(\"OTHER\"), and name that \
         folder"
    );
    let bare = folder(&["config.json"]);
    assert_eq!(
        told(&bare, weight_files(bare.path())),
        "FOLDER has no model.safetensors and no model.safetensors.index.json: is it a GPT-2 \
         folder? One that transformers' save_pretrained wrote has its weights beside config.json"
    );
}

#[test]
fn an_adapter_is_to_be_merged_and_beside_a_model_it_has_a_word() {
    let adapter = folder(&["adapter_config.json", "adapter_model.safetensors"]);
    let message = told(&adapter, read_config(adapter.path()));
    assert!(
        message.starts_with(
            "FOLDER holds an adapter (LoRA or the like; adapter_config.json) and not the model \
             that it changes; merge the two once with peft"
        ),
        "{message}"
    );
    // Some trainers save the config of the model beside it.
    let with_config = folder(&["adapter_config.json", "config.json"]);
    assert_eq!(
        message,
        told(&with_config, weight_files(with_config.path()))
    );
    let whole = folder(&["adapter_config.json", "config.json", "model.safetensors"]);
    assert!(weight_files(whole.path()).is_ok());
    assert!(beside(whole.path()).unwrap().contains("without an adapter"));
    assert_eq!(beside(folder(&["config.json"]).path()), None);
}

#[test]
fn a_folder_above_models_names_the_latest_of_them() {
    let trained = folder(&[
        "checkpoint-500/config.json",
        "checkpoint-1500/config.json",
        "runs/events",
        "checkpoint-1000/config.json",
    ]);
    assert_eq!(
        told(&trained, Config::read(trained.path())),
        "FOLDER holds no model, but 3 folders below it do; name one of them, such as \
         FOLDER/checkpoint-1500"
    );
    let cached = folder(&["refs/main", "snapshots/607a30d/config.json"]);
    assert_eq!(
        told(&cached, read_config(cached.path())),
        "FOLDER holds no model, but a folder below it does; name \
         FOLDER/snapshots/607a30d"
    );
    let empty = folder(&[]);
    assert_eq!(
        told(&empty, read_config(empty.path())),
        "FOLDER has no config.json: is it a GPT-2 folder?"
    );
    assert_eq!(
        told(&empty, Config::read(&empty.path().join("more"))),
        "FOLDER/more does not exist; name a folder with config.json and model.safetensors"
    );
}

//! Tests of `frozen.rs`.

use crate::plan::load;

use super::*;

fn overrides(folder: &Path, set: &[&str]) -> Overrides {
    Overrides {
        set: set.iter().map(|&set| set.to_owned()).collect(),
        environment: vec![("KDPIPE_TRAIN__BATCH".to_owned(), "3".to_owned())],
        working_folder: folder.to_owned(),
    }
}

fn origin(folder: &Path) -> FrozenOrigin {
    FrozenOrigin {
        spec: "study.toml".into(),
        working_folder: folder.to_owned(),
        command: "kdpipe run study.toml".into(),
    }
}

#[test]
fn a_frozen_spec_sets_what_the_original_set_with_all_that_reached_it_whatever_is_edited_since() {
    let root = tempfile::tempdir().unwrap();
    let spec = root.path().join("study.toml");
    std::fs::create_dir(root.path().join("shared")).unwrap();
    let base = "[pipeline]\nname = \"mine\"\n[dataset]\nsource = \"text\"\ntrain = [\"a.txt\"]\n\
                validation = [\"b.txt\"]\ntest = [\"c.txt\"]\n";
    std::fs::write(root.path().join("shared/base.toml"), base).unwrap();
    let own = "extends = \"shared/base.toml\"\n[arms.kl]\n[arms.slow.train]\nsteps = 70\n[grid]\n\
               arm = [\"kl\", \"slow\"]\nseed = [0, 1]\n";
    std::fs::write(&spec, own).unwrap();
    let options = overrides(root.path(), &["train.context=24"]);
    let original = load(&spec, &options).unwrap();
    assert_eq!(original.origin(), None);
    let text = toml::to_string(&original.freeze(origin(root.path()), &options)).unwrap();
    let frozen = root.path().join("frozen.toml");
    std::fs::write(&frozen, &text).unwrap();
    std::fs::write(&spec, "[pipeline]\nname = \"other\"\n").unwrap();
    std::fs::remove_dir_all(root.path().join("shared")).unwrap();

    // Read elsewhere, in another environment.
    let elsewhere = Overrides {
        set: vec!["report.alpha=0.01".to_owned()],
        environment: vec![("KDPIPE_TRAIN__BATCH".to_owned(), "5".to_owned())],
        working_folder: "/".into(),
    };
    let read = load(&frozen, &elsewhere).unwrap();
    assert_eq!(read.settings(), original.settings());
    assert_eq!((read.axes(), read.name()), (original.axes(), "mine"));
    assert_eq!(read.report_settings().alpha, 0.01);
    assert_eq!(read.origin(), Some(&origin(root.path())));
    assert_eq!(read.origin().unwrap().path(), spec);
    let shared = root.path().join("shared");
    assert_eq!(
        FrozenSpec::read(&frozen).unwrap().unwrap().layers[0].base,
        shared
    );
    // Frozen again, it is the same text.
    let again = read.freeze(origin(root.path()), &options);
    assert_eq!(toml::to_string(&again).unwrap(), text);
}

#[test]
fn a_spec_is_no_frozen_one_and_a_damaged_or_later_one_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("frozen.toml");
    assert_eq!(FrozenSpec::read(&path).unwrap(), None);
    std::fs::write(&path, "[pipeline]\nname = \"mine\"\n").unwrap();
    assert_eq!(FrozenSpec::read(&path).unwrap(), None);
    std::fs::write(&path, "frozen = 1\n[origin]\n").unwrap();
    let error = FrozenSpec::read(&path).unwrap_err();
    assert!(
        error.0[0].message.contains("is no frozen spec"),
        "{:?}",
        error.0[0]
    );
    let later = FrozenSpec {
        frozen: 2,
        ..FrozenSpec::new(origin(root.path()), &Overrides::default(), Vec::new())
    };
    std::fs::write(&path, toml::to_string(&later).unwrap()).unwrap();
    let error = FrozenSpec::read(&path).unwrap_err();
    let words = "its format is 2, and this version reads 1";
    assert!(error.0[0].message.contains(words), "{:?}", error.0[0]);
}

//! Tests of `settings.rs`.

use super::*;

fn of(variables: &[(&str, &str)]) -> Result<Settings> {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Settings::from_variables(false, &variable)
}

#[test]
fn the_variables_of_the_python_library_are_followed() {
    let plain = of(&[("HOME", "/home/a")]).unwrap();
    assert_eq!(plain.cache, Path::new("/home/a/.cache/huggingface/hub"));
    assert_eq!(
        (plain.endpoint.as_str(), plain.offline, plain.token),
        ("https://huggingface.co", false, None)
    );
    let cache = |variables: &[(&str, &str)]| of(variables).unwrap().cache;
    assert_eq!(
        cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
        Path::new("/x/huggingface/hub")
    );
    assert_eq!(
        cache(&[("HOME", "/h"), ("HF_HOME", "~/hf")]),
        Path::new("/h/hf/hub")
    );
    assert_eq!(
        cache(&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")]),
        Path::new("/c")
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
    let home = folder.path().to_str().unwrap();
    assert_eq!(
        of(&[("HF_HOME", home)]).unwrap().token.as_deref(),
        Some("hf_file")
    );
    assert_eq!(
        of(&[("HF_HOME", home), ("HF_TOKEN", " hf_x\n")])
            .unwrap()
            .token
            .as_deref(),
        Some("hf_x")
    );
    let settings = of(&[
        ("HOME", "/h"),
        ("HF_ENDPOINT", "http://127.0.0.1:8/"),
        ("HF_HUB_OFFLINE", "YES"),
    ])
    .unwrap();
    assert_eq!(
        (settings.endpoint.as_str(), settings.offline),
        ("http://127.0.0.1:8", true)
    );
}

#[test]
fn older_names_hold_where_the_newer_are_not_set() {
    let home = ("HF_HOME", "/hf");
    for (variables, cache) in [
        (&[home, ("HUGGINGFACE_HUB_CACHE", "/old")][..], "/old"),
        (
            &[("HF_HUB_CACHE", "/new"), ("HUGGINGFACE_HUB_CACHE", "/old")],
            "/new",
        ),
        (&[("DATA", "/d"), ("HF_HOME", "$DATA/hf")], "/d/hf/hub"),
        (
            &[("DATA", "/d"), ("HF_HUB_CACHE", "${DATA}s/$NONE")],
            "/ds/$NONE",
        ),
        (&[("HOME", "/h"), ("HF_HUB_CACHE", "~/c")], "/h/c"),
        (&[("HOME", "/h"), ("HF_HUB_CACHE", "~other/c")], "~other/c"),
    ] {
        assert_eq!(
            of(variables).unwrap().cache,
            Path::new(cache),
            "{variables:?}"
        );
    }
}

#[test]
fn the_token_is_that_of_the_first_place_that_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token of mine");
    std::fs::write(&token, "hf_named\r\n").unwrap();
    let token = token.to_str().unwrap();
    let home = ("HF_HOME", "/hf");
    for (variables, expected) in [
        (
            &[home, ("HUGGING_FACE_HUB_TOKEN", "hf_old")][..],
            Some("hf_old"),
        ),
        (
            &[
                home,
                ("HF_TOKEN", "hf_new"),
                ("HUGGING_FACE_HUB_TOKEN", "hf_old"),
            ],
            Some("hf_new"),
        ),
        (&[home, ("HF_TOKEN_PATH", token)], Some("hf_named")),
        (
            &[
                home,
                ("HF_TOKEN_PATH", token),
                ("HUGGING_FACE_HUB_TOKEN", "hf_old"),
            ],
            Some("hf_old"),
        ),
        (
            &[
                home,
                ("HF_TOKEN", "hf_new"),
                ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"),
            ],
            None,
        ),
        (&[home, ("HF_TOKEN_PATH", "/none")], None),
    ] {
        let found = of(variables).unwrap().token;
        assert_eq!(found.as_deref(), expected, "{variables:?}");
    }
}

#[test]
fn offline_is_said_by_the_first_variable_that_is_set_and_for_datasets_alone_by_another() {
    for (variables, offline, datasets) in [
        (&[][..], false, false),
        (&[("HF_HUB_OFFLINE", "1")], true, true),
        (&[("TRANSFORMERS_OFFLINE", "true")], true, true),
        // The older name is not asked where the newer one is set.
        (
            &[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")],
            false,
            false,
        ),
        (&[("HF_DATASETS_OFFLINE", "ON")], false, true),
        (
            &[("HF_HUB_OFFLINE", "1"), ("HF_DATASETS_OFFLINE", "0")],
            true,
            true,
        ),
    ] {
        let settings = of(&[variables, &[("HOME", "/h")]].concat()).unwrap();
        let found = (
            settings.is_offline(&Repo::model("o/m", "main")),
            settings.is_offline(&Repo::dataset("o/d", "main")),
        );
        assert_eq!(found, (offline, datasets), "{variables:?}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused_without_showing_secrets() {
    let error = |variables: &[(&str, &str)]| of(variables).err().unwrap().to_string();
    assert!(error(&[]).contains("HF_HOME"));
    assert!(error(&[("HOME", "/h"), ("HF_ENDPOINT", "hub")]).contains("HF_ENDPOINT is no address"));
    for (name, value) in [
        ("HF_TOKEN", "se cret"),
        ("HF_ENDPOINT", "https://me:secret@hub"),
    ] {
        let error = error(&[("HOME", "/h"), (name, value)]);
        assert!(
            error.contains(name) && !error.contains("cret,") && !error.contains("secret"),
            "{error}"
        );
    }
}

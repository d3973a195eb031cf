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

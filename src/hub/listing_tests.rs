//! Tests of `listing.rs`.

use super::*;

fn listed(path: &str, oid: &str) -> Result<Listing, String> {
    let page = serde_json::json!([
        { "type": "file", "path": path, "oid": oid, "size": 3 },
        { "type": "directory", "path": "x", "oid": oid },
    ]);
    Listing::new(serde_json::from_value(page).unwrap())
}

#[test]
fn names_that_lead_out_of_the_folder_and_files_without_a_hash_are_refused() {
    let git = "ce013625030ba8dba906f756967f9e9ca394464a";
    assert_eq!(
        listed("a/b.txt", git)
            .unwrap()
            .find("a/b.txt")
            .unwrap()
            .size,
        3
    );
    for bad in [
        "../a", "/a", "a/../b", "a/./b", "a//b", "", "a\\b", "c:a", "a\n", "a/..",
    ] {
        assert!(
            listed(bad, git)
                .unwrap_err()
                .contains("does not lie in the repo's folder"),
            "{bad}"
        );
    }
    for bad in [
        "",
        "abc",
        "../../../../etc/passwd",
        &"G".repeat(40),
        &"a".repeat(64),
    ] {
        assert!(listed("a", bad).unwrap_err().contains("no hash"), "{bad}");
    }
}

#[test]
fn a_list_is_read_back_as_it_was_written_and_a_broken_one_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.json");
    let listing = listed("a/b.txt", "ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
    listing.write(&path).unwrap();
    assert_eq!(Listing::read(&path), Some(listing));
    std::fs::write(
        &path,
        r#"{"format_version": 1, "files": {"../a": {
            "size": 1, "blob_id": "ce013625030ba8dba906f756967f9e9ca394464a"}}}"#,
    )
    .unwrap();
    assert_eq!(Listing::read(&path), None);
    // As huggingface_hub 2.4 wrote it.
    let python = r#"{"format_version": 1, "files": {"a.safetensors": {
        "size": 453864,
        "blob_id": "fa9abfdec19ae0d6400cd3e9a25ee885633a8253",
        "lfs_sha256": "8111d5afb0715dbf5a31396d31432cb56370ba23f6650a035ea0fc8a20b4e500",
        "lfs_size": 453864}}}"#;
    std::fs::write(&path, python).unwrap();
    let read = Listing::read(&path).unwrap();
    assert_eq!(
        read.files[0].hash,
        Hash::parse("8111d5afb0715dbf5a31396d31432cb56370ba23f6650a035ea0fc8a20b4e500")
    );
    read.write(&path).unwrap();
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        written,
        serde_json::from_str::<serde_json::Value>(python).unwrap()
    );
}

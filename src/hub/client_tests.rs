//! Tests of `client.rs`.

use super::*;

#[test]
fn the_next_page_is_read_from_its_link() {
    assert_eq!(
        next_link("<https://a/b?c=1>; rel=\"next\"").as_deref(),
        Some("https://a/b?c=1")
    );
    assert_eq!(
        next_link("<p>; rel=\"prev\", </n>; a=b; rel=\"next\"").as_deref(),
        Some("/n")
    );
    assert_eq!(next_link("<p>; rel=\"prev\""), None);
}

#[test]
fn the_next_page_stays_at_the_endpoint() {
    let settings = Settings {
        endpoint: "https://mirror.example/hf".to_owned(),
        ..Settings::from_environment(true)
    };
    let client = Client::new(&settings);
    let url = "https://mirror.example/hf/api/models/o/m/tree/0?recursive=true";
    for (link, next) in [
        (
            "https://huggingface.co/api/models/o/m/tree/0?recursive=true&cursor=1",
            "https://mirror.example/hf/api/models/o/m/tree/0?recursive=true&cursor=1",
        ),
        (
            "https://mirror.example/hf/api/models/o/n/tree/0?cursor=1",
            "https://mirror.example/hf/api/models/o/n/tree/0?cursor=1",
        ),
        (
            "/api/models/o/m/tree/0?cursor=1",
            "https://mirror.example/hf/api/models/o/m/tree/0?cursor=1",
        ),
        (
            "?cursor=1",
            "https://mirror.example/hf/api/models/o/m/tree/0?cursor=1",
        ),
        (
            "https://elsewhere.example/pages/2?cursor=1",
            "https://mirror.example/hf/api/models/o/m/tree/0?cursor=1",
        ),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\nLink: <{link}>; rel=\"next\"\r\n\r\n[]");
        let response: Response = response.parse().unwrap();
        let found = client.next_page(url, &response).unwrap();
        assert_eq!(found.as_deref(), Some(next), "{link}");
    }
    let last: Response = "HTTP/1.1 200 OK\r\n\r\n[]".parse().unwrap();
    assert_eq!(client.next_page(url, &last).unwrap(), None);
}

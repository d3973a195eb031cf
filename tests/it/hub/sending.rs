//! Sending an answer, with the fault that it is to have.

use std::io::Write;
use std::net::TcpStream;

use super::answers::Reply;
use super::server::{Request, ServerFault};

pub fn send(
    stream: &mut TcpStream,
    request: &Request,
    mut answer: Reply,
    fault: Option<ServerFault>,
) {
    let mut announced = Some(answer.body.len());
    let mut sent = usize::MAX;
    match fault {
        None => {}
        Some(ServerFault::Status(status, name, value)) => {
            answer = Reply::new(status, vec![(name, value.to_owned())], "a fault");
            announced = Some(7);
        }
        Some(ServerFault::Cut(at)) => sent = at,
        Some(ServerFault::Short(length)) => {
            answer.body.truncate(length);
            announced = Some(answer.body.len());
        }
        Some(ServerFault::Long(more)) => {
            answer.body.extend(vec![b'x'; more]);
            announced = Some(answer.body.len());
        }
        Some(ServerFault::LongUnannounced(more)) => {
            answer.body.extend(vec![b'x'; more]);
            announced = None;
        }
        Some(ServerFault::Wrong) => {
            let middle = answer.body.len() / 2;
            answer.body[middle] ^= 1;
        }
        Some(ServerFault::NoEtag) => answer
            .headers
            .retain(|(name, _)| !name.to_lowercase().contains("etag")),
        Some(ServerFault::Gzip) => {
            answer.body = gzip(&answer.body);
            announced = Some(answer.body.len());
            answer.headers.push(("Content-Encoding", "gzip".to_owned()));
        }
        Some(ServerFault::NoRange) => {}
        Some(ServerFault::Json(text)) => {
            answer = Reply::new(200, vec![], text);
            announced = Some(text.len());
        }
    }
    let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", answer.status);
    answer
        .headers
        .iter()
        .for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    if let Some(length) = announced {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    if request.method != "HEAD" {
        let _ = stream.write_all(&answer.body[..answer.body.len().min(sent)]);
    }
}

/// Stored, not compressed: the form is what counts.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = if bytes.is_empty() {
        vec![bytes]
    } else {
        bytes.chunks(60_000).collect()
    };
    for (at, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(at + 1 == blocks.len()));
        out.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        out.extend(*block);
    }
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    out.extend([(!crc).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat());
    out
}

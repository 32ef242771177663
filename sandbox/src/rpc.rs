//! The JSON-RPC route, for one call or a list of calls.

use serde_json::{Value, json};

use crate::content;

/// Returns the answer to a request. Each result has `length` bytes.
pub fn answer(request: &Value, length: usize) -> Vec<u8> {
    let Value::Array(calls) = request else {
        return result(request, length);
    };
    let mut list = vec![b'['];
    for (at, call) in calls.iter().enumerate() {
        if at > 0 {
            list.push(b',');
        }
        list.extend_from_slice(&result(call, length));
    }
    list.push(b']');
    list
}

fn result(call: &Value, length: usize) -> Vec<u8> {
    let id = &call["id"];
    if call["method"].is_string() {
        return content::rpc_result(id, length);
    }
    let error = json!({"code": -32600, "message": "Invalid Request"});
    json!({"jsonrpc": "2.0", "id": id, "error": error})
        .to_string()
        .into_bytes()
}

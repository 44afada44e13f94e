// What the page and the server of a shop do through supabase-js.

// A checkout: what and how many, and never a price.  checkoutId is the same for each retry.
export async function buy(supabase, lines, address, checkoutId) {
  const { data, error, status } = await supabase.rpc('buy_cart', {
    p_lines: lines,                     // [{ item_id: 2, quantity: 3 }]
    p_idempotency_key: checkoutId,
    p_order_data: { header: { shipping_address: address } },
  })
  return error ? { status, refused: error.message } : { status, order: data[0].header_id, replayed: data[0].replayed }
}

// On a server, with the key of service_role.
export async function refund(server, line) {
  const { error } = await server.schema('stock').rpc('refund_order', { p_order_id: line })
  if (error) throw error
}

# What inventory has refused: a StatementInvalid of ActiveRecord, with the error of pg as its cause.  In a controller:
#
#   rescue_from ActiveRecord::StatementInvalid do |error|
#     refusal = Refusal.of(error) or raise error
#     render json: { error: refusal.name }, status: refusal.status
#   end
class Refusal
  # the HTTP status for each SQLSTATE
  STATUS = {
    "IV001" => 409,   # out_of_stock
    "IV002" => 404,   # item_not_found
    "IV003" => 404,   # order_not_found
    "IV004" => 404,   # reservation_not_found
    "IV005" => 410,   # reservation_expired
    "IV006" => 409,   # reservation_confirmed
    "IV007" => 409,   # reservation_released
    "IV008" => 409,   # refund_exceeds_order
    "IV009" => 422,   # idempotency_key_mismatch
    "IV010" => 403,   # purchase_limit_exceeded
    "IV011" => 409,   # stock_changed
    "IV012" => 404,   # not_a_store
    "IV013" => 403,   # direct_write_refused
    "IV014" => 503,   # busy
    "IV015" => 409,   # already_placed
  }.freeze

  attr_reader :code, :name, :detail, :status

  # nil for any other error
  def self.of(error)
    result = error.cause.result if error.cause.is_a?(PG::Error)
    code = result&.error_field(PG::Result::PG_DIAG_SQLSTATE)
    new(code, result) if STATUS.key?(code)
  end

  # The name is such as out_of_stock.  The detail has keys and numbers: it is for the log.
  def initialize(code, result)
    @code = code
    @status = STATUS[code]
    @name = result.error_field(PG::Result::PG_DIAG_MESSAGE_PRIMARY)
    @detail = result.error_field(PG::Result::PG_DIAG_MESSAGE_DETAIL)
  end
end

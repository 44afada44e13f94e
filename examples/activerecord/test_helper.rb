# What the tests have in common.
require "minitest/autorun"
require "active_support"
require "active_support/test_case"
require "concurrent"
require_relative "shop"
require_relative "refusal"

class ActiveSupport::TestCase
  def sql(text)
    ActiveRecord::Base.connection.exec_query(text).to_a
  end

  def verify
    sql("SELECT * FROM inventory.verify('products')")
  end

  # The block is refused with this SQLSTATE and name.  The transaction goes on.
  def assert_refused(code, name, &block)
    error = assert_raises(ActiveRecord::StatementInvalid) { ActiveRecord::Base.transaction(requires_new: true, &block) }
    refusal = Refusal.of(error) or raise error
    assert_equal [code, name], [refusal.code, refusal.name]
    refusal
  end

  # How many of 20 users were sold to, and how many met which refusal.
  def race
    users = Array.new(20) { |n| User.create!(name: "buyer #{n}") }
    start = Concurrent::CyclicBarrier.new(users.size)
    threads = users.map do |user|
      Thread.new do
        ActiveRecord::Base.connection_pool.with_connection do
          start.wait
          yield user
          "sold"
        rescue ActiveRecord::StatementInvalid => error
          Refusal.of(error)&.name || error.message
        end
      end
    end
    threads.map(&:value).tally
  end
end

# Each test is rolled back, as in Rails.
class RolledBack < ActiveSupport::TestCase
  setup do
    ActiveRecord::Base.connection.begin_transaction(joinable: false)
    @ann = User.create!(name: "ann")
    @bob = User.create!(name: "bob")
    @guitar = Product.create!(name: "Guitar", price: 1200, stock: 1)
    @poster = Product.create!(name: "Poster", price: 35, stock: 10)
  end

  teardown do
    assert_empty verify
  ensure
    ActiveRecord::Base.connection.rollback_transaction
  end
end

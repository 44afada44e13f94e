# The models of a shop, and the connection to its database.
require "active_record"

# PGHOST, PGUSER and so on, as for psql; in Rails config/database.yml
ActiveRecord::Base.establish_connection(adapter: "postgresql", database: ENV.fetch("PGDATABASE"), pool: 25)

class User < ActiveRecord::Base
end

class Product < ActiveRecord::Base
end

class Order < ActiveRecord::Base
  belongs_to :user
  has_many :order_lines, dependent: :destroy
end

class OrderLine < ActiveRecord::Base
  belongs_to :order
  belongs_to :product
end

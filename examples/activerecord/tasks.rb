# What bin/rails does in Rails: db:migrate, db:schema:dump and db:schema:load.
#
#   ruby tasks.rb migrate [VERSION]
#   ruby tasks.rb dump
#   ruby tasks.rb load
require_relative "shop"

ActiveRecord::Migration.verbose = false

def migrate(version = nil)
  pool = ActiveRecord::Base.connection_pool
  # from ActiveRecord 7.2 on it is that of the pool
  owner = pool.respond_to?(:migration_context) ? pool : ActiveRecord::Base.connection
  owner.migration_context.migrate(version&.to_i)
end

case ARGV
in ["migrate", *version] then migrate(*version)
in ["dump"]
  STDOUT.reopen("schema.rb", "w")
  ActiveRecord::SchemaDumper.dump
in ["load"] then load File.expand_path("schema.rb")
end

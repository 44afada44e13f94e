class CreateShop < ActiveRecord::Migration[6.1]
  def change
    create_table :users do |t|
      t.string :name, null: false
    end

    create_table :products do |t|
      t.string :name, null: false
      t.decimal :price, precision: 10, scale: 2, null: false
      t.integer :stock, null: false, default: 0
    end

    # inventory inserts rows, too: defaults have to be those of the database, also of created_at and updated_at
    create_table :orders do |t|
      t.references :user, null: false, foreign_key: true
      t.string :status, null: false, default: "placed"
      t.timestamps default: -> { "CURRENT_TIMESTAMP" }
    end

    create_table :order_lines do |t|
      t.references :order, null: false, foreign_key: true
      t.references :product, null: false, foreign_key: true
      t.integer :quantity, null: false
      t.decimal :unit_price, precision: 10, scale: 2, null: false
    end
  end
end

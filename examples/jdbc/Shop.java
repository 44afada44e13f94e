import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Sells by the functions of inventory. Each method is one statement, and so one transaction. */
public class Shop {
    /** A line of a cart. */
    public record Line(long product, int quantity) {
        String json() {
            return "{\"item_id\": %d, \"quantity\": %d}".formatted(product, quantity);
        }
    }

    /** A line that was sold, and the order that it belongs to. */
    public record Sold(long line, long order, long available) { }

    private final DataSource database;

    public Shop(DataSource database) {
        this.database = database;
    }

    /** The key of the order line. A retry with the same idempotency key returns the same. */
    public long buy(UUID user, long product, int quantity, String key) throws SQLException {
        return call("SELECT buy_item(?, ?, ?, ?)", Long.class, user, product, quantity, key);
    }

    /** Sells all lines under one order, or none. */
    public List<Sold> buyCart(UUID user, List<Line> lines, String key) throws SQLException {
        String json = lines.stream().map(Line::json).collect(Collectors.joining(", ", "[", "]"));
        List<Sold> sold = new ArrayList<>();
        // without FROM, each row would be one text
        String cart = "SELECT order_id, header_id, available FROM buy_cart(?, ?::jsonb, ?)";
        try (Connection connection = database.getConnection();
                PreparedStatement statement = prepare(connection, cart, user, json, key);
                ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                sold.add(new Sold(rows.getLong("order_id"), rows.getLong("header_id"), rows.getLong("available")));
            }
        }
        return sold;
    }

    /** The key of a reservation. The text of a Duration is that of an interval: PT10M. */
    public UUID hold(UUID user, long product, int quantity, Duration ttl) throws SQLException {
        return call("SELECT reserve_stock(?, ?, ?, ?::interval)", UUID.class, user, product, quantity, ttl.toString());
    }

    /** Makes an order of a reservation. */
    public long confirm(UUID reservation) throws SQLException {
        return call("SELECT order_id FROM confirm_reservation(?)", Long.class, reservation);
    }

    /** What can be sold now. */
    public long available(long product) throws SQLException {
        return call("SELECT available_stock(?)::bigint", Long.class, product);
    }

    /**
     * What inventory refused, if it did. Its SQLSTATE is IV001 and so on, its message the name, such as out_of_stock,
     * and its detail is for the log.
     */
    public static Optional<ServerErrorMessage> refusal(SQLException error) {
        if (error instanceof PSQLException refused && String.valueOf(refused.getSQLState()).startsWith("IV")) {
            return Optional.ofNullable(refused.getServerErrorMessage());
        }
        return Optional.empty();
    }

    private <T> T call(String sql, Class<T> type, Object... arguments) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement = prepare(connection, sql, arguments);
                ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getObject(1, type);
        }
    }

    private static PreparedStatement prepare(Connection connection, String sql, Object... arguments) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int n = 0; n < arguments.length; n++) {
            statement.setObject(n + 1, arguments[n]);
        }
        return statement;
    }
}

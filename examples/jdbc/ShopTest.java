import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.ds.PGSimpleDataSource;

/** Writes TAP. PGHOST, PGUSER and so on say where, as for psql. */
public class ShopTest {
    private static final UUID ANN = UUID.randomUUID();

    private static PGSimpleDataSource database;
    private static Shop shop;
    private static int tests;
    private static boolean failed;

    private interface Test {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        String migration = Files.readString(Path.of("migration.sql"));
        open("sales");
        execute(migration);
        test("a sale takes the stock and inserts the order", ShopTest::sale);
        test("a refusal is a PSQLException with SQLSTATE IV001", ShopTest::refusal);
        test("a retry with its key returns the same order", ShopTest::retry);
        test("a cart is one order with its lines", ShopTest::cart);
        test("a hold lasts for a Duration and is confirmed", ShopTest::hold);
        test("of two threads one gets the last unit", ShopTest::race);
        test("a string is no uuid without a cast", ShopTest::string);
        test("the type of the stock is changed by retype", ShopTest::retype);
        open("follow");
        execute(migration.replace("order_values =>", "order_writes => 'follow', order_values =>"));
        test("the stock follows orders that the shop inserts", ShopTest::follow);
        System.out.println("1.." + tests);
        System.exit(failed ? 1 : 0);
    }

    private static void sale() throws Exception {
        long product = add(3);
        long line = shop.buy(ANN, product, 2, null);
        equal(value("SELECT quantity FROM order_lines WHERE id = " + line), 2L);
        equal(shop.available(product), 1L);
    }

    private static void refusal() throws Exception {
        long product = add(3);
        refused("IV001 out_of_stock", () -> shop.buy(ANN, product, 4, null));
    }

    private static void retry() throws Exception {
        long product = add(3);
        long line = shop.buy(ANN, product, 1, "key-1");
        equal(shop.buy(ANN, product, 1, "key-1"), line);
        refused("IV009 idempotency_key_mismatch", () -> shop.buy(ANN, product, 2, "key-1"));
    }

    private static void cart() throws Exception {
        List<Shop.Line> lines = List.of(new Shop.Line(add(3), 1), new Shop.Line(add(5), 2));
        List<Shop.Sold> sold = shop.buyCart(ANN, lines, "cart-1");
        equal(sold.size(), 2);
        equal(sold.get(0).order(), sold.get(1).order());
        equal(sold.get(1).available(), 3L);
        equal(shop.buyCart(ANN, lines, "cart-1"), sold);
    }

    private static void hold() throws Exception {
        long product = add(1);
        UUID reservation = shop.hold(ANN, product, 1, Duration.ofMinutes(10));
        refused("IV001 out_of_stock", () -> shop.buy(ANN, product, 1, null));
        equal(value("SELECT quantity FROM order_lines WHERE id = " + shop.confirm(reservation)), 1L);
    }

    private static void race() throws Exception {
        long product = add(1);
        CyclicBarrier start = new CyclicBarrier(2);
        Callable<String> buyer = () -> {
            start.await();
            try {
                shop.buy(UUID.randomUUID(), product, 1, null);
                return "sold";
            } catch (SQLException error) {
                return Shop.refusal(error).orElseThrow().getMessage();
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<String> results = new ArrayList<>();
        for (Future<String> result : threads.invokeAll(List.of(buyer, buyer))) {
            results.add(result.get());
        }
        threads.shutdown();
        results.sort(null);
        equal(results, List.of("out_of_stock", "sold"));
    }

    private static void string() throws Exception {
        long product = add(2);
        for (String cast : List.of("", "::uuid")) {
            try (Connection connection = database.getConnection();
                    var statement = connection.prepareStatement("SELECT buy_item(?" + cast + ", ?)")) {
                statement.setString(1, ANN.toString());
                statement.setLong(2, product);
                statement.execute();
                equal(cast, "::uuid");
            } catch (SQLException error) {
                equal(cast + error.getSQLState(), "42883");
            }
        }
        equal(shop.available(product), 1L);
    }

    private static void retype() throws Exception {
        try {
            execute("ALTER TABLE products ALTER stock TYPE bigint");
            throw new AssertionError("not refused");
        } catch (SQLException error) {
            equal(error.getSQLState(), "0A000");
        }
        execute("SELECT inventory.retype('products', 'stock', 'bigint')");
        shop.buy(ANN, add(1), 1, null);
    }

    private static void follow() throws Exception {
        long product = add(3);
        long order = value("INSERT INTO orders (user_id) VALUES ('" + ANN + "') RETURNING id");
        String line = "INSERT INTO order_lines (order_id, product_id, quantity, unit_price) VALUES (%d, %d, 2, 35)";
        execute(line.formatted(order, product));
        refused("IV001 out_of_stock", () -> {
            execute(line.formatted(order, product));
            return null;
        });
        execute("DELETE FROM orders WHERE id = " + order);
        equal(value("SELECT stock FROM products WHERE id = " + product), 3L);
    }

    /** A shop in a schema of its own. */
    private static void open(String schema) throws SQLException {
        database = new PGSimpleDataSource();
        database.setServerNames(new String[] {System.getenv("PGHOST")});
        database.setPortNumbers(new int[] {Integer.parseInt(System.getenv().getOrDefault("PGPORT", "5432"))});
        database.setDatabaseName(System.getenv("PGDATABASE"));
        database.setUser(System.getenv("PGUSER"));
        database.setPassword(System.getenv("PGPASSWORD"));
        database.setCurrentSchema(schema);
        shop = new Shop(database);
        execute("CREATE SCHEMA " + schema);
    }

    /** The key of a product with a stock. */
    private static long add(int stock) throws SQLException {
        return value("INSERT INTO products (name, price, stock) VALUES ('Poster', 35, " + stock + ") RETURNING id");
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = database.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long value(String sql) throws SQLException {
        try (Connection connection = database.getConnection(); Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static void refused(String refusal, Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (SQLException error) {
            equal(error.getSQLState() + " " + Shop.refusal(error).orElseThrow().getMessage(), refusal);
            return;
        }
        throw new AssertionError("not refused: " + refusal);
    }

    private static void equal(Object got, Object wanted) {
        if (!got.equals(wanted)) {
            throw new AssertionError("got " + got + ", not " + wanted);
        }
    }

    private static void test(String name, Test test) {
        tests++;
        try {
            test.run();
            System.out.println("ok " + tests + " - " + name);
        } catch (Exception | AssertionError error) {
            failed = true;
            System.out.println("not ok " + tests + " - " + name + "\n# " + error.toString().replace("\n", "\n# "));
        }
    }
}

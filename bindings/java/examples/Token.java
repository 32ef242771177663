// Token: prints the value of an Authorization header.
//
//   java -cp zelf-0.1.0.jar:jna-5.13.0.jar Token.java [IDENTIFIER]
//
// ZELF_HTTPS and ZELF_CA name another server and its CA.
// SPDX-License-Identifier: MIT OR Apache-2.0

import java.nio.file.Path;
import world.zelf.Identifiers;
import world.zelf.Session;
import world.zelf.SessionOptions;
import world.zelf.ZelfClient;
import world.zelf.ZelfException;

final class Token {
    public static void main(String[] arguments) {
        // A program keeps its identifier: to the server, another one is another device.
        String identifier = arguments.length > 0 ? arguments[0] : Identifiers.random();
        ZelfClient.Builder settings = ZelfClient.builder().baseUrl(System.getenv("ZELF_HTTPS"));
        if (System.getenv("ZELF_CA") != null) {
            settings.caFile(Path.of(System.getenv("ZELF_CA")));
        }
        try (ZelfClient client = settings.build();
                Session session = client.createSession(SessionOptions.of(identifier))) {
            System.out.println(session.authorization());    // "Bearer eyJ…"
        } catch (ZelfException e) {
            System.err.println(e.statusName() + ": " + e.getMessage());
            System.exit(1);
        }
    }
}

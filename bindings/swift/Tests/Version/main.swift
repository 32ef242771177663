// Makes a client and an identifier, and prints what is thrown.
import Zelf

for make in [{ _ = try Client() }, { _ = try Identifier.random() }] {
    do {
        try make()
        print("nothing was thrown")
    } catch ZelfError.Status.oldLibrary {
        print("oldLibrary")
    } catch {
        print(error)
    }
}

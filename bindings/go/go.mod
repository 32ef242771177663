module zelf.world/go/zelf

go 1.19

// A process that only balances. Its settings are in appsettings.json, or in the file that the command line names: each pool is direct, so plain requests
// never leave their reactor. What no pool wants is 404.
var builder = WebApplication.CreateSlimBuilder(args);
if (args is [var settings]) builder.Configuration.AddJsonFile(Path.GetFullPath(settings), optional: false, reloadOnChange: true);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.AddStickyWebSocketBalancing();

var app = builder.Build();
app.UseStickyWebSocketBalancing();
app.Run();

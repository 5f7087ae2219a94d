using System.Text;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace StickyWs.Tests.Hosting;

/// <summary>Files in memory. Saving one tells whoever watches it, on the spot, and swallows what that throws, as the watcher of real files does.</summary>
internal sealed class MemoryFiles : IFileProvider
{
    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, CancellationTokenSource> _watches = [];

    /// <summary>What a watcher threw at the last change.</summary>
    public Exception? Thrown { get; private set; }

    public void Save(string path, string text)
    {
        _files[path] = text;
        Tell(path);
    }

    public void Remove(string path)
    {
        _files.Remove(path);
        Tell(path);
    }

    public IFileInfo GetFileInfo(string subpath)
        => _files.TryGetValue(subpath, out var text) ? new MemoryFile(subpath, Encoding.UTF8.GetBytes(text)) : new NotFoundFileInfo(subpath);

    public IDirectoryContents GetDirectoryContents(string subpath) => NotFoundDirectoryContents.Singleton;

    public IChangeToken Watch(string filter)
    {
        if (!_watches.TryGetValue(filter, out var watch)) _watches[filter] = watch = new CancellationTokenSource();
        return new CancellationChangeToken(watch.Token);
    }

    private void Tell(string path)
    {
        Thrown = null;
        if (!_watches.Remove(path, out var watch)) return;
        try
        {
            watch.Cancel();
        }
        catch (AggregateException e)
        {
            Thrown = e;
        }
    }

    private sealed class MemoryFile(string name, byte[] bytes) : IFileInfo
    {
        public bool Exists => true;

        public bool IsDirectory => false;

        public DateTimeOffset LastModified => default;

        public long Length => bytes.Length;

        public string Name => name;

        public string? PhysicalPath => null;

        public Stream CreateReadStream() => new MemoryStream(bytes);
    }
}

/**
 * Lines of MLSD, Unix and DOS for the differential test to mutate, one
 * character for each byte.
 *
 * @module
 */

const DATES = [
  "Jan 29 03:26",
  "Apr  8  1994",
  "Feb 29 13:00",
  "Mar 25 00:23:11 2014",
  "2005-04-08 11:22",
  "2005-04-08 11:22:33.123456789 +0200",
  "2000-09-26 ",
  "02 Mar 16:27",
  "26. Juli, 20:10",
  "2.   Okt.  2003",
  "1999/10/12 17:12",
  "24-04-2003 17:12",
  "2004.07.15",
  "09-26 2000",
  "3 29 03:26",
  "01-jun-99",
  "Oct 08, 2002 09:47",
  "M\xc3\xa4r 3 2003",
  "\xd1\x8f\xd0\xbd\xd0\xb2 25 2010",
  "25 \xd1\xce\xd7 2010",
  "25 \xff\xed\xe2 18:11",
  "Jan  1 00:0",
  "Apr   4 24:00",
  "3\xe6\x9c\x88 2\xe6\x97\xa5 15:13",
  "4\x8c\x8e 18\x93\xfa 2003\x94\x4e",
  "2003\xe5\xb9\xb4 3\xe6\x9c\x88 20\xe6\x97\xa5",
];

/** The lines. */
export const SEEDS: readonly string[] = [
  ...DATES.map((date) =>
    `-rw-r--r--   1 root     other        531 ${date} a file`
  ),
  "drwxr-xr-x    3 110      1002            3 Dec 02  2009  dir  name ",
  "lrwxrwxrwx   1 root     other          7 Jan 25 00:17 link -> usr/bin",
  "lrwxrwxrwx   1 root     other          1 Jan 25 00:17 a -> b -> c",
  "crw-r----- 1 root kmem 0, 27 Jan 30 11:42 kmem",
  "brw------- 1 root sys 109,767 Jul  2  2004 disk",
  "-rwsr-Sr-T+  1 maxm Domain Users 18446744073709551615 Oct 2 10:59 f",
  "drwxr-xr-x   2 john smith     test group 4096 Mar  2 15:13 zxbox",
  "-------r--         326  1391972  1392298 Nov 22  1995 File",
  "drwxrwxr-x               folder        2 May 10  1996 x",
  "-rw-r--r--   1 root     other  33.5k Oct 5 21:22 f",
  " 12 -rw-r--r-- owner group 123 Jan  1  2000 f",
  "-rw-r--r--   1 root other1254359 Apr  9  2008 x.Z",
  "-rw-r--r--   1 other other1254359 Apr  9  2008 x.Z",
  "-rw-******    1 -        -            2090 Nov  2 16:52 .history",
  "drwxr-x   2       10     4096 Dec 10 14:32 pollq",
  "drwxr-xr-x 3 user devlab 512 71-dateless",
  "type=file;size=1234;modify=20190218120006.25;UNIX.mode=0644; a b",
  "Type=dir;Modify=20240229000000;UNIX.ownername=ann;UNIX.group=5; dir",
  "type=OS.unix=slink:/a b/c;size=4;UNIX.uid=7;UNIX.gid=8; link",
  "type=OS.unix=chr-13/29;perm=;size=99999999999999999999; dev",
  "modify=191000229000000;type=cdir;sizd=4096; /srv",
  "type=file;size=5 name",
  "type=file;size=3;UNIX.groupname=domain users;UNIX.mode=0644; a.txt",
  "UNIX.ownername=john doe;type=file;UNIX.groupname=a b c; a; b=c d",
  "create=20200101000000;perm=adfrw;type=dir;UNIX.uid=7 a; b",
  "x=a b;c;type=file;size=1; a",
  "04-27-00  12:09PM       <DIR>          soft dir",
  "04-14-2000  03:47AM                  589 readme.htm",
  "2002-09-02  19:06                9,730 iso file",
  "02.09.2002  19:06:07            1.234.567  dotted",
  "04-27-00  12:09PM       <JUNCTION>     Docs [C:\\Users\\x]",
  "type=file;size=1234;modify=20190218120006;\ta b",
  "10-15-09  00:34AM              3,939  two blanks",
  "10-23-00  01:27PM       <JUNCTION>     sample -> foo => bar",
  "04-27-00  12:09 a       <SYMLINK>      file [a]",
  "total 12",
  "hello, world",
];
